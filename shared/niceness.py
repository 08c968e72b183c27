"""Processes that give way to those who answer people."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_AUTOGROUP: Final = Path("/proc/self/autogroup")


def give_way(niceness: int) -> None:
    """Let this process have less of busy cores, 0 (no less) to 19; idle cores are its own.

    Linux shares cores among sessions before it looks at the niceness of their processes, where
    nobody set up control groups (sched(7), "The autogroup feature"). So one that leads a session
    says it of that too: else it takes as much as all processes of a door.
    """
    os.nice(niceness)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):  # this system has no such groups
            _AUTOGROUP.write_text(str(niceness))
