"""One core for one worker process: its caches stay warm, and its threads hand over cheaply."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from shared.resilience.periodic import repeat, running
from shared.telemetry.logs import get_logger

_PROCESSOR_TIMES: Final = Path("/proc/stat")
_THREADS: Final = Path("/proc/self/task")
_FIRST_LOOK_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 2.0
_CROWDED_BELOW: Final = 0.1
"""The idle share below which nothing is left of a core."""
_ALIKE: Final = 0.2
"""Shares of a core that differ by less are not worth a move."""


class CoreTimes(NamedTuple):
    """What a core has done since the machine started, in ticks."""

    idle: int
    all: int


class OneCore:
    """Keeps every thread of this process on one core, and goes where there is room.

    Only one of its threads can run Python at a time anyway. When Celery's hub still took the
    messages it saved a worker up to a third of its CPU on RabbitMQ; what it saves since the event
    loop does is not known. Linux only; elsewhere, and where there is one core, nothing is done.
    """

    def __init__(
        self,
        random: Random | None = None,
        core_times: Callable[[], Mapping[int, CoreTimes]] | None = None,
        own_ticks: Callable[[], float] | None = None,
    ) -> None:
        self._random = random or Random()
        self._core_times = core_times or _core_times
        self._own_ticks = own_ticks or _own_ticks
        self._allowed = _allowed()
        self._times = self._core_times()
        self._spent = self._own_ticks()
        self._core: int | None = None

    async def look(self) -> None:
        """Take a core, or another one if this one is crowded, by the time since the last look."""
        before, self._times = self._times, self._core_times()
        spent, self._spent = self._spent, self._own_ticks()
        passed = {
            core: CoreTimes(now.idle - then.idle, max(1, now.all - then.all))
            for core, now in self._times.items()
            if core in self._allowed and (then := before.get(core))
        }
        idle = {core: since.idle / since.all for core, since in passed.items()}
        own = (self._spent - spent) / max((since.all for since in passed.values()), default=1)
        if len(idle) < 2 or not self._is_to_move(idle, own):
            return
        # Workers that start together must not all take the one that is idlest by a hair.
        best = max(idle.values())
        self._core = self._random.choice([c for c, share in idle.items() if share > best - _ALIKE])
        _keep_to({self._core})
        get_logger(__name__).info("core_taken", core=self._core)

    def _is_to_move(self, idle: Mapping[int, float], own: float) -> bool:
        if self._core is None:
            return True
        # What it has of its core counts as room: alone on a full one it would gain nothing.
        if idle.get(self._core, 0.0) > _CROWDED_BELOW or max(idle.values()) <= own + _ALIKE:
            return False
        # Of two that share a crowded core one is to go, not both.
        return self._random.random() < 0.5

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """A core for as long as the context is open; then all of them again."""
        try:
            async with running(
                repeat(
                    "one core",
                    self.look,
                    every_seconds=_LOOK_SECONDS,
                    first_seconds=_FIRST_LOOK_SECONDS,
                )
            ):
                yield
        finally:
            self.leave()

    def leave(self) -> None:
        """Give the core back."""
        if self._core is not None:
            _keep_to(self._allowed)


def _allowed() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _keep_to(cores: set[int]) -> None:
    for thread in _THREADS.iterdir():
        with suppress(OSError):  # it has ended
            os.sched_setaffinity(int(thread.name), cores)


def _own_ticks() -> float:
    """What this process has spent, in the unit of the cores' times."""
    return time.process_time() * os.sysconf("SC_CLK_TCK")


def _core_times() -> Mapping[int, CoreTimes]:
    """What each core has done since the machine started; none where the system does not say."""
    try:
        lines = _PROCESSOR_TIMES.read_text().splitlines()
    except OSError:
        return {}
    cores = (line.split() for line in lines if line.startswith("cpu") and line[3].isdigit())
    return {
        int(name.removeprefix("cpu")): CoreTimes(
            idle=int(spent[3]) + int(spent[4]), all=sum(map(int, spent[:8]))
        )
        for name, *spent in cores
    }
