from __future__ import annotations

import asyncio

import pytest

from shared.resilience.kept_running import kept_running


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
