"""What waits to be published."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane, WakeUp
from shared.queueing.backlog import CAPACITY, Backlog

WAKE_UP = WakeUp("resp_1", Lane.STANDARD, datetime(2030, 1, 1, tzinfo=UTC))


async def test_it_is_bounded_for_those_that_nobody_waits_for() -> None:
    backlog = Backlog()
    assert all(backlog.add(WAKE_UP) for _ in range(CAPACITY))
    assert not backlog.add(WAKE_UP)
    backlog.add_group([WAKE_UP])
    assert len(backlog) == CAPACITY + 1


async def test_a_group_whose_caller_gave_up_is_not_sent() -> None:
    backlog = Backlog()
    given_up = backlog.add_group([WAKE_UP, WAKE_UP])
    backlog.add(WAKE_UP)
    given_up.fail(BrokerUnavailable("too late"))
    assert backlog.take(10) == [(WAKE_UP, None)]
