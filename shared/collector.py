"""Python's garbage collector in processes that build most of what they have at the start."""

from __future__ import annotations

import gc
from typing import Final

_THRESHOLDS: Final = (20_000, 20, 20)


def collect_seldom() -> None:
    """Look for cycles a thirtieth as often as Python does by itself."""
    gc.set_threshold(*_THRESHOLDS)


def leave_what_stays_to_itself() -> None:
    """Once all is built: modules, routes and clients live as long as the process.

    The collector, which otherwise takes a fifth of a busy worker's time, walks them no more.
    """
    gc.collect()
    gc.freeze()
    collect_seldom()
