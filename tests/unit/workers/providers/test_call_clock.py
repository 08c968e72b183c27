"""The clock of a call: its own cancellation and that of others are kept apart."""

from __future__ import annotations

import asyncio

import pytest

from workers.providers.failures import ProviderTimeoutError
from workers.providers.wire.timeouts import CallClock, Timeouts


async def _stubborn() -> str:
    """Answers, though it is told to stop."""
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "an answer"
    return ""


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def test_a_timeout_leaves_no_cancellation_behind() -> None:
    clock = CallClock(Timeouts(total_seconds=0.01))
    with pytest.raises(ProviderTimeoutError):
        await clock.wait(asyncio.Event().wait())

    assert _this_task().cancelling() == 0


async def test_a_cancellation_at_the_moment_of_the_timeout_is_not_lost() -> None:
    task, clock = _this_task(), CallClock(Timeouts(total_seconds=0))
    asyncio.get_running_loop().call_soon(task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await clock.wait(asyncio.Event().wait())

    assert task.uncancel() == 0, "the clock has taken back its own, and nothing else"


async def test_a_cancellation_after_an_answer_to_the_timeout_is_no_timeout() -> None:
    task = _this_task()
    clock = CallClock(Timeouts(total_seconds=0.01))
    assert await clock.wait(_stubborn()) == "an answer"

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await clock.wait(asyncio.Event().wait())

    assert task.uncancel() == 0
    clock.close()
