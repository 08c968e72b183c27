"""What was accepted while the broker was away is published as soon as it is back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from shared.clock import ManualClock
from shared.errors import BrokerUnavailable
from shared.messages.lane import WakeUp
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.queueing.publisher import Publisher
from shared.telemetry.metrics import Metrics
from workers.maintenance.reconciler import Reconciler
from workers.steps.reply import Reply

from .conftest import NewMessage


class FailingLink:
    """A link whose broker is away, or takes everything."""

    def __init__(self) -> None:
        self.healthy = True
        self.is_away = True
        self.published: list[str] = []
        self.alone: list[str] = []

    async def publish(self, wake_ups: Sequence[WakeUp], *, alone: bool = False) -> None:
        if self.is_away:
            raise BrokerUnavailable("away")
        self.published += [each.message_id for each in wake_ups]
        self.alone += [each.message_id for each in wake_ups if alone]


def _reconciler(sweeps: LedgerSweeps, link: FailingLink, clock: ManualClock) -> Reconciler:
    nobody = cast("Reply", None)
    return Reconciler(
        sweeps, cast("Publisher", link), nobody, Metrics(), clock, wake_after_seconds=15
    )


async def test_a_broker_that_returns_is_given_all_at_once_and_each_message_once(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    link = FailingLink()
    reconciler = _reconciler(sweeps, link, clock)
    first = new_message()
    await ledger.accept(first)
    clock.advance(15)
    for _ in range(4):
        with pytest.raises(BrokerUnavailable):
            await reconciler()
        clock.advance(15)
    late = new_message()
    await ledger.accept(late)
    link.is_away = False
    await reconciler()
    assert link.published == [first.id, late.id]
    await reconciler()
    assert link.published == [first.id, late.id]


async def test_what_was_published_again_in_vain_is_published_alone(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    link = FailingLink()
    link.is_away = False
    reconciler = _reconciler(sweeps, link, clock)
    first, later = new_message(), new_message()
    await ledger.accept(first)
    clock.advance(15)
    await reconciler()
    assert (link.published, link.alone) == ([first.id], [])
    clock.advance(15)
    await ledger.accept(later)
    clock.advance(15)
    await reconciler()
    assert sorted(link.published) == sorted([first.id, first.id, later.id])
    assert link.alone == [first.id]


async def test_a_process_that_leads_for_the_first_time_knows_that_the_broker_was_away(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    link = FailingLink()
    follower = _reconciler(sweeps, link, clock)
    link.healthy = False
    await follower.watch_broker()
    late = new_message()
    await ledger.accept(late)
    link.healthy, link.is_away = True, False
    clock.advance(2)
    await follower()
    assert link.published == [late.id]


async def test_an_outage_of_long_ago_has_nothing_published_before_its_time(
    ledger: MessageLedger, sweeps: LedgerSweeps, clock: ManualClock, new_message: NewMessage
) -> None:
    link = FailingLink()
    follower = _reconciler(sweeps, link, clock)
    link.healthy = False
    await follower.watch_broker()
    link.healthy, link.is_away = True, False
    clock.advance(16)
    await ledger.accept(new_message())
    await follower()
    assert link.published == []
