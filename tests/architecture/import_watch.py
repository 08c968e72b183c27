"""Run as a script with module names: imports them and prints what they did besides defining things.

Only effects of our own modules count. A library that opens a socket while it is imported does that
below the import system's frames; one of our modules that calls a library does not.
"""

from __future__ import annotations

import importlib
import sys
from types import FrameType

from tests.architecture.tree import PACKAGES, ROOT

EFFECTS = {
    "open",
    "socket.__new__",
    "socket.connect",
    "socket.bind",
    "subprocess.Popen",
    "os.fork",
    "os.posix_spawn",
    "sqlite3.connect",
    "_thread.start_new_thread",
    "os.mkdir",
    "os.remove",
}
OUR_FOLDERS = tuple(f"{ROOT / package}/" for package in PACKAGES)


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook that reports the first of our lines on the way to an effect."""
    if event in EFFECTS and (place := _our_line(sys._getframe(1))):
        print(f"{place}: {event}")


def _our_line(frame: FrameType | None) -> str | None:
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return None
        if file.startswith(OUR_FOLDERS):
            return f"{file.removeprefix(str(ROOT))}:{frame.f_lineno}"
        frame = frame.f_back
    return None


if __name__ == "__main__":
    sys.addaudithook(watch)
    for name in sys.argv[1:]:
        importlib.import_module(name)
