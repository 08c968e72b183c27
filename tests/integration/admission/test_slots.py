"""Slots are leases: freed when a message ends, and by themselves when nobody tells."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from ingress.admission.question import COMMIT_LEASE_SECONDS, SLOT_MARGIN_SECONDS
from ingress.admission.verdict import Admitted, RefusalReason, Refused
from shared.reservations.reservations import slots_key
from tests.integration.admission.conftest import (
    OpenDoor,
    OpenReservations,
    message,
    standing,
    tenant,
    until,
)
from tests.integration.admission.manual_door import ManualDoor


async def test_no_more_messages_are_in_flight_than_the_plan_allows(open_door: OpenDoor) -> None:
    doors = [open_door() for _ in range(3)]
    owner = tenant(in_flight=7)
    verdicts = await asyncio.gather(*(doors[n % 3].decide(message(owner)) for n in range(60)))
    refusals = [verdict for verdict in verdicts if isinstance(verdict, Refused)]
    assert len(refusals) == 53
    assert {refusal.reason for refusal in refusals} == {RefusalReason.TOO_MANY_IN_FLIGHT}
    assert "7 messages are in flight" in refusals[0].message
    assert all(0 < refusal.retry_after_seconds <= 1 for refusal in refusals)


async def test_a_settled_message_frees_its_slot(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, worker = open_door(), open_reservations()
    owner = tenant(in_flight=1)
    for _ in range(3):
        asked = message(owner)
        assert isinstance(await door.decide(asked), Admitted)
        assert isinstance(await door.decide(message(owner)), Refused)
        assert await worker.settle(
            owner.id, None, message_id=asked.message_id, estimated_tokens=10, used_tokens=10
        )


async def test_a_provider_that_reports_millions_of_tokens_keeps_no_tenant_out(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, worker = open_door(), open_reservations()
    owner = tenant(tokens=200_000)
    asked = message(owner)
    assert isinstance(await door.decide(asked), Admitted)
    await worker.settle(
        owner.id, None, message_id=asked.message_id, estimated_tokens=10, used_tokens=180_000_000
    )

    assert isinstance(await door.decide(message(owner)), Admitted)


def test_a_slot_that_nobody_frees_ends_with_its_lease(limits_url: str) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(in_flight=1)
    asked = message(owner, seconds_left=30)
    assert isinstance(door.decide(asked), Admitted)
    door.commit(asked)
    door.now += 30 + SLOT_MARGIN_SECONDS - 0.5
    refused = door.decide(message(owner))
    assert isinstance(refused, Refused)
    assert refused.retry_after_seconds == pytest.approx(0.5)
    door.now += refused.retry_after_seconds
    assert isinstance(door.decide(message(owner)), Admitted)


def test_a_door_that_died_before_its_commit_holds_a_slot_for_half_a_minute(
    limits_url: str,
) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(in_flight=1)
    a_day = 86_400.0
    assert isinstance(door.decide(message(owner, seconds_left=a_day)), Admitted)
    door.now += 29.5
    assert isinstance(door.decide(message(owner)), Refused)
    door.now += 0.5
    asked = message(owner, seconds_left=a_day)
    assert isinstance(door.decide(asked), Admitted)
    door.commit(asked)
    door.now += a_day
    assert isinstance(door.decide(message(owner)), Refused), "committed: held to the deadline"


def test_a_message_that_ended_before_its_commit_was_told_takes_no_slot_again(
    limits_url: str,
) -> None:
    door = ManualDoor(limits_url)
    owner = tenant(in_flight=1)
    asked = message(owner)
    assert isinstance(door.decide(asked), Admitted)
    door.redis.zrem(slots_key(owner.id), asked.message_id)  # as `settle` does
    door.commit(asked)
    assert isinstance(door.decide(message(owner)), Admitted)


async def test_what_is_committed_holds_its_slot_soon_after(open_door: OpenDoor) -> None:
    door = open_door()
    owner = tenant()
    committed, never = message(owner, seconds_left=3_600.0), message(owner, seconds_left=3_600.0)
    await asyncio.gather(door.decide(committed), door.decide(never))
    door.committed(committed)
    await door.close()
    async with door._redis.asking() as redis:
        ends = [
            await redis.zscore(slots_key(owner.id), each.message_id) for each in (committed, never)
        ]
    assert ends[0] - ends[1] == pytest.approx(3_660.0 - COMMIT_LEASE_SECONDS, abs=60)


async def test_what_was_used_replaces_what_was_estimated_once(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, worker = open_door(settings=standing(1000)), open_reservations()
    owner = tenant(tokens=1, user_tokens=1)
    asked = message(owner, user="u", tokens=600)
    await door.decide(asked)
    ended = [
        await worker.settle(
            owner.id, "u", message_id=asked.message_id, estimated_tokens=600, used_tokens=100
        )
        for _ in range(3)
    ]
    assert ended == [True, False, False]
    verdict = await door.decide(message(owner, user="u", tokens=800))
    assert isinstance(verdict, Admitted)
    assert verdict.quota is not None
    assert verdict.quota.remaining_tokens == 100


async def test_a_message_that_used_more_than_estimated_leaves_a_debt(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, worker = open_door(settings=standing(1000)), open_reservations()
    owner = tenant(tokens=1)
    asked = message(owner, tokens=500)
    await door.decide(asked)
    await worker.settle(
        owner.id, None, message_id=asked.message_id, estimated_tokens=500, used_tokens=2000
    )
    refused = await door.decide(message(owner, tokens=1))
    assert isinstance(refused, Refused)
    assert refused.reason is RefusalReason.RATE_LIMITED_TOKENS


async def test_the_door_learns_how_long_a_tenants_answers_are(
    open_door: OpenDoor, open_reservations: OpenReservations
) -> None:
    door, worker = open_door(), open_reservations()
    owner = tenant()
    assert door.p90_output_tokens(owner.id) == 512
    for round_number in range(400):
        asked = message(owner)
        await door.decide(asked)
        await worker.settle(
            owner.id,
            None,
            message_id=asked.message_id,
            estimated_tokens=10,
            used_tokens=10,
            output_tokens=1000 if round_number % 10 == 9 else 50 + round_number % 10 * 10,
        )
    # Nine in ten are between 50 and 130 tokens long, one in ten is 1000.
    assert 110 <= door.p90_output_tokens(owner.id) <= 1000


async def test_whoever_hangs_up_while_being_asked_about_leaves_nothing_behind(
    open_door: OpenDoor,
) -> None:
    door = open_door()
    owner = tenant(in_flight=20)
    for moment in range(20):
        request = message(owner, key=str(moment))
        asked = asyncio.create_task(door.decide(request))
        for _ in range(moment):
            await asyncio.sleep(0)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
            await door.give_back(request)  # it was decided before we hung up

    async def nothing_is_held() -> bool:
        async with door._redis.asking() as redis:
            return not door._undecided and not await redis.zcard(slots_key(owner.id))

    await until(nothing_is_held)
    assert not door._abandoned
