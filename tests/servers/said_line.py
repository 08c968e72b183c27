"""What a process says, waited for with a limit."""

from __future__ import annotations

import subprocess
import threading


def said_line(process: subprocess.Popen[str], begins: str = "", *, seconds: float = 60) -> str:
    """The first line that begins so; fails with what was said instead where none came in time.

    The process is killed then, which is what ends its output.
    """
    assert process.stdout is not None
    said: list[str] = []
    limit = threading.Timer(seconds, process.kill)
    limit.start()
    try:
        for line in process.stdout:
            if line.startswith(begins):
                return line.strip()
            said.append(line)
    finally:
        limit.cancel()
    raise AssertionError(f"No line begins with {begins!r}. It said: {''.join(said)}")
