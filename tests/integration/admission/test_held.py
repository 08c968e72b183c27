"""Who of a group is published at once, and what becomes of a credit that is not used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from ingress.admission.admission import Admission
from ingress.admission.backpressure import LaneWatch
from ingress.admission.question import AdmissionRequest
from ingress.admission.verdict import Admitted, Existing, RefusalReason, Refused
from shared.clock import SystemClock
from shared.dispatch.credit import CREDIT_KEY, Credits, LaneSlots
from shared.dispatch.flows import FLOWS_KEY, Flow, FlowBoard, FlowFigures
from shared.messages.lane import Lane
from shared.messages.tenant import Tenant
from shared.persistence.ledger.lane_load import LaneLoad
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import run_scripts
from shared.telemetry.metrics import Metrics
from tests.integration.admission.conftest import OpenDoor, message, tenant
from tests.integration.patience import PatientSettings

LONG_SECONDS = 600.0


class Lanes:
    """The leader's word, in the Redis of the doors."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.board = FlowBoard(GuardedRedis(redis, SystemClock()))

    async def set(
        self, free: int, *, has_backlog: bool = False, lane: Lane = Lane.STANDARD
    ) -> None:
        told = {lane: LaneSlots(free, 100, has_backlog)}
        await run_scripts(self.redis, [Credits().setting(told, lease_seconds=LONG_SECONDS)])

    async def tell(self, flows: dict[Flow, FlowFigures]) -> None:
        runs = self.board.writing(flows, leader="w1", lease_seconds=LONG_SECONDS)
        await run_scripts(self.redis, runs)

    async def free(self, lane: Lane = Lane.STANDARD) -> int:
        return int(await self.redis.hget(CREDIT_KEY, f"free:{lane}") or 0)


@pytest.fixture
async def lanes(limits_url: str, patience: PatientSettings) -> AsyncIterator[Lanes]:
    async with open_redis(patience(limits_url)) as redis:
        yield Lanes(redis)
        await redis.delete(CREDIT_KEY, FLOWS_KEY)


async def held(door: Admission, *requests: AdmissionRequest) -> list[bool]:
    verdicts = await asyncio.gather(*(door.decide(request) for request in requests))
    assert all(isinstance(verdict, Admitted) for verdict in verdicts), verdicts
    return [isinstance(verdict, Admitted) and verdict.held for verdict in verdicts]


async def test_of_a_group_the_first_have_the_credits(open_door: OpenDoor, lanes: Lanes) -> None:
    owner = tenant()
    await lanes.set(3)
    assert await held(open_door(), *(message(owner) for _ in range(5))) == [False] * 3 + [True] * 2
    assert await lanes.free() == 0


async def test_what_a_refused_message_does_not_use_goes_back_with_the_next(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door, poor = open_door(), tenant(in_flight=1)
    await lanes.set(10)
    verdicts = await asyncio.gather(*(door.decide(message(poor)) for _ in range(3)))
    assert [isinstance(verdict, Refused) for verdict in verdicts] == [False, True, True]
    assert await lanes.free() == 7

    assert await held(door, message(tenant(), lane=Lane.INTERACTIVE)) == [False]
    assert await lanes.free() == 9


async def test_what_came_to_nothing_gives_its_credit_back(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door, owner = open_door(), tenant()
    await lanes.set(1)
    published, waiting = message(owner), message(owner)
    assert await held(door, published, waiting) == [False, True]
    await door.give_back(published)
    await door.give_back(waiting, held=True)

    assert await held(door, message(owner), message(owner)) == [False, True]
    assert await lanes.free() == 0


async def test_a_known_key_uses_no_credit_and_says_that_the_lane_is_led(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door, owner = open_door(), tenant()
    await lanes.set(2)
    first = message(owner, key="k", body=b"same")
    again = message(owner, key="k", body=b"same")
    assert await held(door, first) == [False]
    assert await door.decide(again) == Existing(first.message_id, same_body=True, held=True)
    assert await held(door, message(owner), message(owner)) == [False, True]


async def test_who_hangs_up_before_the_verdict_uses_no_credit(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door, owner = open_door(), tenant()
    await lanes.set(1)
    gone = asyncio.create_task(door.decide(message(owner)))
    stays = asyncio.create_task(door.decide(message(owner)))
    await asyncio.sleep(0)
    gone.cancel()
    verdict = await stays
    assert isinstance(verdict, Admitted)
    assert not verdict.held


async def test_a_lane_that_somebody_leads_no_more_holds_nobody(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door, owner = open_door(), tenant()
    await lanes.set(0, has_backlog=True)
    assert await held(door, message(owner)) == [True]
    await lanes.redis.delete(CREDIT_KEY)
    assert await held(door, message(owner), message(owner)) == [False, False]


class Overloaded:
    """A lane that would take a hundred seconds."""

    @staticmethod
    async def watch() -> LaneWatch:
        async def loads() -> dict[Lane, LaneLoad]:
            return {Lane.STANDARD: LaneLoad(1_000, 10.0, 90.0)}

        watch = LaneWatch(loads, SystemClock(), Metrics(), interval_seconds=LONG_SECONDS)
        await watch.sample()
        return watch


async def refused(door: Admission, owner: Tenant) -> bool:
    verdict = await door.decide(message(owner, seconds_left=20.0))
    if isinstance(verdict, Refused):
        assert verdict.reason is RefusalReason.LANE_OVERLOADED
    return isinstance(verdict, Refused)


async def test_a_tenant_is_refused_by_its_own_backlog_and_no_other(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door = open_door(lanes=await Overloaded.watch())
    flood, calm, short, parked = tenant(), tenant(), tenant(), tenant()
    await lanes.tell(
        {
            Flow(Lane.STANDARD, flood.id): FlowFigures(backlog=990, eta_seconds=300.0),
            Flow(Lane.STANDARD, short.id): FlowFigures(backlog=2, eta_seconds=5.0),
            Flow(Lane.STANDARD, parked.id): FlowFigures(backlog=2, oldest_seconds=40.0),
            Flow(Lane.BATCH, calm.id): FlowFigures(backlog=9, eta_seconds=900.0),
        }
    )
    assert await refused(door, flood)
    assert not await refused(door, calm)
    assert not await refused(door, short)
    assert await refused(door, parked)


async def test_where_nobody_leads_the_lane_says_who_is_refused(open_door: OpenDoor) -> None:
    door = open_door(lanes=await Overloaded.watch())
    assert await refused(door, tenant())


async def test_figures_that_cannot_be_read_leave_it_to_the_lane(
    open_door: OpenDoor, lanes: Lanes
) -> None:
    door = open_door(lanes=await Overloaded.watch())
    await lanes.redis.set(FLOWS_KEY, "of another version")
    assert await refused(door, tenant())
