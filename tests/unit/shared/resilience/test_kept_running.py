from __future__ import annotations

import asyncio

import pytest

from shared.resilience.kept_running import end_tasks, kept_running


class Role:
    """Raises what it is given, one thing each time, then returns."""

    def __init__(self, *faults: BaseException) -> None:
        self._faults = list(faults)
        self.begun = 0

    async def __call__(self) -> None:
        self.begun += 1
        if self._faults:
            raise self._faults.pop(0)


async def test_a_role_that_fails_begins_again_until_it_returns() -> None:
    role = Role(RuntimeError("a fault"), ExceptionGroup("two", [ValueError("another")]))
    await kept_running("role", role, pause_seconds=0)
    assert role.begun == 3


async def test_a_role_that_is_cancelled_stays_so() -> None:
    role = Role(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await kept_running("role", role, pause_seconds=0)
    assert role.begun == 1


async def test_a_task_that_loses_a_cancellation_is_ended_all_the_same() -> None:
    lost = 0

    async def stubborn() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
                if lost == 2:
                    raise ValueError("and says something at last") from None

    async def well_behaved() -> None:
        await asyncio.sleep(60)

    tasks = [asyncio.create_task(stubborn()), asyncio.create_task(well_behaved())]
    await asyncio.sleep(0)
    await end_tasks(*tasks)
    assert lost == 2
    assert all(each.done() for each in tasks)
