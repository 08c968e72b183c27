"""Workers that die, rounds side by side, endpoints that hang: all is told, and none waits."""

from __future__ import annotations

import asyncio

from shared.clock import ManualClock
from shared.webhooks.tables import DeliveryState
from tests.integration.queueing.conftest import eventually
from tests.integration.webhooks.conftest import (
    CLAIM_SECONDS,
    Ending,
    ToldTenant,
    whole_round,
)
from tests.integration.webhooks.receiver import WebhookReceiver, received


async def test_what_a_dead_worker_had_claimed_is_told_by_the_next_one(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    receiver.is_open.clear()
    dying = told.round()
    await dying()
    await eventually(lambda: receiver.got)
    await dying.close()
    receiver.is_open.set()
    successor = told.round()
    await whole_round(successor)
    assert len(receiver.got) == 1, "it is not taken while the claim lasts"
    clock.advance(CLAIM_SECONDS + 1)
    await whole_round(successor)
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    (logged,) = await told.deliveries()
    assert (logged.state, logged.tries) == (DeliveryState.DELIVERED, 2)


async def test_a_try_that_ends_after_another_has_begun_changes_nothing(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    await ends()
    receiver.is_open.clear()
    slow = told.round()
    await slow()
    await eventually(lambda: receiver.got)
    clock.advance(CLAIM_SECONDS + 1)
    receiver.statuses.extend((500, 200))
    quick = told.round()
    await quick()
    await eventually(lambda: len(receiver.got) == 2)
    receiver.is_open.set()
    await asyncio.gather(slow.served(), quick.served())
    (logged,) = await told.deliveries()
    assert logged.tries == 2
    newest = next(each for each in logged.log if each.ordinal == 2)
    assert (logged.state is DeliveryState.DELIVERED) == (newest.status == 200)


async def test_two_who_do_the_round_side_by_side_tell_each_thing_once(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    ids = [await ends() for _ in range(40)]
    rounds = [told.round(), told.round()]
    for _ in range(2):
        await asyncio.gather(*(whole_round(each) for each in rounds))
    assert sorted(each.event["data"]["id"] for each in receiver.got) == sorted(ids)
    assert {each.state for each in await told.deliveries()} == {DeliveryState.DELIVERED}


async def test_an_endpoint_that_does_not_answer_delays_no_other(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending
) -> None:
    async with received() as silent:
        silent.is_open.clear()
        await told.endpoint(silent.url)
        ids = [await ends() for _ in range(20)]
        a_round = told.round()
        await a_round()
        await eventually(lambda: len(receiver.got) == len(ids))
        assert len(silent.got) <= 16
        await a_round.close()


async def test_an_endpoint_that_takes_nothing_is_left_alone_for_a_while(
    told: ToldTenant, receiver: WebhookReceiver, ends: Ending, clock: ManualClock
) -> None:
    for _ in range(30):
        await ends()
    receiver.statuses.extend([500] * 16)
    a_round = told.round()
    for _ in range(2):
        await whole_round(a_round)
    assert len(receiver.got) == 16
    clock.advance(20)
    await whole_round(a_round)
    assert {each.state for each in await told.deliveries()} == {DeliveryState.DELIVERED}
