"""The clock of a call: its own end and the cancellations of others are kept apart."""

from __future__ import annotations

import asyncio

import pytest

from workers.providers.error_class import TimeoutPhase
from workers.providers.failures import ProviderTimeoutError
from workers.providers.wire.exchange import CallClock
from workers.providers.wire.timeouts import Timeouts


def _this_task() -> asyncio.Task[object]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_a_timeout_leaves_no_cancellation_behind() -> None:
    clock = CallClock(Timeouts(total_seconds=0.01), time_left_seconds=60)
    with pytest.raises(ProviderTimeoutError) as caught:
        await clock.wait(_never())

    assert caught.value.phase is TimeoutPhase.TOTAL
    assert _this_task().cancelling() == 0


async def test_a_cancellation_at_the_moment_of_the_timeout_is_not_lost() -> None:
    task, clock = _this_task(), CallClock(Timeouts(), time_left_seconds=0)
    waiter = _never()
    waiter.add_done_callback(lambda _: task.cancel())
    with pytest.raises(asyncio.CancelledError):
        await clock.wait(waiter)

    assert isinstance(waiter.exception(), ProviderTimeoutError), "it was the clock that ended it"
    assert task.uncancel() == 0


async def test_a_clock_that_rings_while_nobody_waits_for_the_server_ends_the_next_wait() -> None:
    clock = CallClock(Timeouts(), time_left_seconds=0.01)
    here = _never()
    here.set_result(None)
    await clock.wait(here)
    await asyncio.sleep(0.02)

    with pytest.raises(ProviderTimeoutError):
        await clock.wait(_never())
    clock.close()
