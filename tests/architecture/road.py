"""Which files of the product have to be opened to follow one piece of work: those that run."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from tests.architecture.tree import PACKAGES, ROOT


class Road:
    """The functions that ran, by the file that they are in."""

    def __init__(self) -> None:
        self.functions: dict[str, set[str]] = defaultdict(set)

    @property
    def files(self) -> set[str]:
        return set(self.functions)

    def __and__(self, other: Road) -> Road:
        """The functions that ran both times."""
        both = Road()
        for file, names in self.functions.items():
            if shared := names & other.functions.get(file, set()):
                both.functions[file] = shared
        return both

    def take(self) -> Road:
        """What ran so far; from here it begins anew."""
        taken = Road()
        taken.functions, self.functions = self.functions, taken.functions
        return taken

    def printed(self, name: str, *, idle: Road | None = None) -> set[str]:
        """The files, printed with their functions, without those that run while nothing is done."""
        files = self.files - (idle.files if idle is not None else set())
        print(f"{name}: {len(files)} files")
        for file in sorted(files):
            print(f"  {file}: {', '.join(sorted(self.functions[file]))}")
        return files


@contextmanager
def recorded() -> Iterator[Road]:
    """What runs in this process, in this thread and in those that begin, while it is open."""
    road = Road()
    places: dict[str, str | None] = {}

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename not in places:
            places[code.co_filename] = _place(code.co_filename)
        place = places[code.co_filename]
        if place is not None and code.co_name != "<module>":
            road.functions[place].add(code.co_qualname)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield road
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]


def _place(file: str) -> str | None:
    """Its name in the repository; None where it is no part of the product."""
    name = file.removeprefix(f"{ROOT}/")
    return name if name.partition("/")[0] in PACKAGES and name != file else None
