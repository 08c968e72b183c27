"""A worker's threads share a core, and leave one that is crowded."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from workers.maintenance.one_core import CoreTimes, OneCore

if not hasattr(os, "sched_getaffinity"):
    pytest.skip("only Linux keeps a process to a core", allow_module_level=True)

CORES = sorted(os.sched_getaffinity(0))[:2]
pytestmark = pytest.mark.skipif(len(CORES) < 2, reason="one core is all there is")


class Machine:
    """Two cores, each idle for the share of the time that it is told."""

    def __init__(self) -> None:
        self.own_ticks = 0.0
        self._passed = dict.fromkeys(CORES, CoreTimes(idle=0, all=0))

    def spend(self, *idle: float) -> None:
        for core, share in zip(CORES, idle, strict=True):
            before = self._passed[core]
            self._passed[core] = CoreTimes(before.idle + int(share * 100), before.all + 100)

    def times(self) -> dict[int, CoreTimes]:
        return dict(self._passed)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def one_core(machine: Machine) -> Iterator[OneCore]:
    core = OneCore(Random(1), machine.times, lambda: machine.own_ticks)
    yield core
    core.leave()


def _cores_of_all_threads() -> set[int]:
    threads = [int(thread.name) for thread in Path("/proc/self/task").iterdir()]
    return set.union(*(os.sched_getaffinity(thread) for thread in threads))


async def _look_often(
    one_core: OneCore, machine: Machine, *idle: float, own_ticks: int = 0
) -> None:
    """Until it has moved, or has let a dozen occasions pass."""
    before = _cores_of_all_threads()
    for _ in range(12):
        machine.spend(*idle)
        machine.own_ticks += own_ticks
        await one_core.look()
        if _cores_of_all_threads() != before:
            return


async def test_all_threads_go_to_the_core_that_is_idlest(
    one_core: OneCore, machine: Machine
) -> None:
    machine.spend(0.2, 0.9)
    await one_core.look()

    assert _cores_of_all_threads() == {CORES[1]}


async def test_a_core_that_has_become_crowded_is_left(one_core: OneCore, machine: Machine) -> None:
    machine.spend(0.9, 0.2)
    await one_core.look()
    await _look_often(one_core, machine, 0.0, 0.9)

    assert _cores_of_all_threads() == {CORES[1]}


async def test_a_busy_core_is_kept_where_no_other_has_room(
    one_core: OneCore, machine: Machine
) -> None:
    machine.spend(0.9, 0.2)
    await one_core.look()
    await _look_often(one_core, machine, 0.0, 0.2)

    assert _cores_of_all_threads() == {CORES[0]}


async def test_a_worker_that_fills_its_core_alone_stays(
    one_core: OneCore, machine: Machine
) -> None:
    machine.spend(0.9, 0.2)
    await one_core.look()
    await _look_often(one_core, machine, 0.0, 0.9, own_ticks=95)

    assert _cores_of_all_threads() == {CORES[0]}


async def test_of_two_that_fill_a_core_together_one_goes(
    one_core: OneCore, machine: Machine
) -> None:
    machine.spend(0.9, 0.2)
    await one_core.look()
    await _look_often(one_core, machine, 0.0, 0.9, own_ticks=50)

    assert _cores_of_all_threads() == {CORES[1]}


async def test_the_cores_are_given_back(machine: Machine) -> None:
    allowed = os.sched_getaffinity(0)
    core = OneCore(Random(1), machine.times)
    machine.spend(0.9, 0.2)
    await core.look()
    core.leave()

    assert _cores_of_all_threads() == allowed


async def test_a_first_look_that_fails_is_followed_by_others(machine: Machine) -> None:
    """Nobody hears of it otherwise: the worker goes on without."""
    looked, looks = asyncio.Event(), 0

    def times() -> dict[int, CoreTimes]:
        nonlocal looks
        looks += 1
        if looks == 2:  # the first look; OneCore itself asks before it
            raise OSError("no times now")
        if looks > 2:
            looked.set()
        return machine.times()

    async with OneCore(Random(1), times).taken(), asyncio.timeout(60):
        await looked.wait()
