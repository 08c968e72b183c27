"""A watch on an event loop: code that keeps it from turning is named."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import takewhile
from types import FrameType
from typing import Final

from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

_log = get_logger(__name__)
_MOST_FRAMES: Final = 8
_LOOKS: Final = 4
"""Within the time that a block has to last to be told of."""
_RUNNERS: Final = ("asyncio.runners", "asyncio.base_events", "asyncio.events", "selectors")
"""Modules of the loop itself: what they called is what holds it."""


@asynccontextmanager
async def watched_loop(metrics: Metrics, *, seconds: float) -> AsyncIterator[None]:
    """Warns where one piece of code holds this loop for longer than `seconds`, and says which.

    One line and one count for each block, while it lasts. What holds the interpreter as well, in C,
    is told of once it lets go; a process that was stopped as a whole is not.
    """
    watch = _LoopWatch(asyncio.get_running_loop(), metrics, seconds)
    watch.start()
    try:
        yield
    finally:
        watch.stop()


class _LoopWatch:
    """A timer on the loop says that it turns; a thread beside it notices when it does not."""

    def __init__(self, loop: asyncio.AbstractEventLoop, metrics: Metrics, seconds: float) -> None:
        self._loop = loop
        self._metrics = metrics
        self._seconds = seconds
        self._pause = seconds / _LOOKS
        self._turned_at = self._suspected_at = 0.0
        self._told = False
        self._ended = threading.Event()
        self._watched = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)

    def start(self) -> None:
        self._turn()
        self._thread.start()

    def stop(self) -> None:
        self._timer.cancel()
        self._ended.set()
        self._thread.join()

    def _turn(self) -> None:
        self._turned_at = time.monotonic()
        self._timer = self._loop.call_later(self._pause, self._turn)

    def _watch(self) -> None:
        while not self._ended.wait(self._pause):
            held = time.monotonic() - self._turned_at
            if held < self._seconds + self._pause:
                self._told = False
            elif self._suspected_at != self._turned_at:
                self._suspected_at = self._turned_at  # this thread may have been away as long
            elif not self._told:
                self._tell(held)

    def _tell(self, held: float) -> None:
        frames = _above_the_loop(sys._current_frames().get(self._watched))
        if not frames:
            return  # it waits for something to do, and was kept from it by nothing of ours
        self._told = True
        self._metrics.loop_blocks.inc()
        _log.warning("loop_blocked", seconds=round(held, 1), code=frames[0], called_by=frames[1:])


def _above_the_loop(frame: FrameType | None) -> list[str]:
    """What the loop called, the innermost first."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    called = takewhile(lambda each: each.f_globals.get("__name__") not in _RUNNERS, frames)
    return [
        f"{each.f_globals.get('__name__')}.{each.f_code.co_qualname}:{each.f_lineno}"
        for each in called
    ][:_MOST_FRAMES]
