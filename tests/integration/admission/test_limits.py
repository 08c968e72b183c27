"""Limits are exact, whoever asks at the same time."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter

from ingress.admission.admission import Admission
from ingress.admission.backpressure import LaneWatch
from ingress.admission.question import AdmissionRequest
from ingress.admission.told_verdict import RequestCounts
from ingress.admission.verdict import Admitted, Existing, RefusalReason, Refused, Verdict
from shared.clock import SystemClock
from shared.messages.lane import Lane
from shared.persistence.ledger.lane_load import LaneLoad
from shared.telemetry.metrics import Metrics
from tests.integration.admission.conftest import OpenDoor, message, standing, tenant


async def test_fifty_tasks_at_four_doors_are_given_exactly_the_hundred_of_the_limit(
    open_door: OpenDoor,
) -> None:
    doors = [open_door(settings=standing(100)) for _ in range(4)]
    owner = tenant(requests=1)

    async def hammer(number: int) -> list[Verdict]:
        door = doors[number % len(doors)]
        return [await door.decide(message(owner, body=b"same")) for _ in range(8)]

    verdicts = [v for group in await asyncio.gather(*map(hammer, range(50))) for v in group]
    assert sum(isinstance(verdict, Admitted) for verdict in verdicts) == 100
    refusals = [verdict for verdict in verdicts if isinstance(verdict, Refused)]
    assert {refusal.reason for refusal in refusals} == {RefusalReason.RATE_LIMITED_REQUESTS}
    assert {refusal.status for refusal in refusals} == {429}


async def test_figures_count_what_was_refused_and_what_is_on_disk(open_door: OpenDoor) -> None:
    counts = RequestCounts()
    door, owner = open_door(settings=standing(2), counts=counts), tenant(requests=1)
    for number in range(5):
        asked = message(owner, body=b"%d" % number)
        if isinstance(await door.decide(asked), Admitted) and number:
            door.committed(asked)
    told: Counter[tuple[str, str, str]] = Counter()
    for (_, *named), count in counts.items():
        tenant_id, lane, reason = named
        told[tenant_id, lane, reason] += count
    assert told == {
        (owner.id, "standard", ""): 1,
        (owner.id, "standard", "rate_limited_requests"): 3,
    }


async def test_processes_share_one_limit_exactly(redis_url: str) -> None:
    arguments = ["-m", "tests.integration.admission.hammering", redis_url, tenant().id]
    replicas = [
        await asyncio.create_subprocess_exec(
            sys.executable, *arguments, "100", "17", "10", stdout=asyncio.subprocess.PIPE
        )
        for _ in range(3)
    ]
    async with asyncio.timeout(60):
        outputs = [(await replica.communicate())[0] for replica in replicas]
    assert sum(map(int, outputs)) == 100


async def test_a_lane_that_is_too_slow_refuses_what_would_come_too_late(
    open_door: OpenDoor,
) -> None:
    async def loads() -> dict[Lane, LaneLoad]:
        return {Lane.STANDARD: LaneLoad(590, 10.0, 60.0)}

    watch = LaneWatch(loads, SystemClock(), Metrics(), interval_seconds=10.0)
    await watch.sample()
    door = open_door(lanes=watch)
    owner = tenant()
    verdicts = await decide_all(door, [message(owner, seconds_left=60.05) for _ in range(50)])
    # 59 s are waited for already, each message adds 0.1 s, also within one group.
    assert count_admitted(verdicts) == 11
    assert reasons(verdicts) == {RefusalReason.LANE_OVERLOADED: 39}
    assert isinstance(await door.decide(message(owner, seconds_left=61)), Admitted)
    assert isinstance(await door.decide(message(owner, lane=Lane.BATCH)), Admitted)


async def test_a_limit_of_a_hundred_a_minute_lets_a_hundred_in_at_once(open_door: OpenDoor) -> None:
    door = open_door()
    owner = tenant(requests=100)
    loop = asyncio.get_running_loop()
    began = loop.time()
    verdicts = await decide_all(door, [message(owner) for _ in range(200)])
    refilled = (loop.time() - began) * 100 / 60
    assert 100 <= count_admitted(verdicts) <= 100 + refilled


async def test_tokens_are_weighed_and_not_counted(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(1000))
    owner = tenant(tokens=1)
    verdicts = await decide_all(door, [message(owner, tokens=90) for _ in range(14)])
    assert count_admitted(verdicts) == 11
    assert reasons(verdicts) == {RefusalReason.RATE_LIMITED_TOKENS: 3}
    assert isinstance(await door.decide(message(owner, tokens=9)), Admitted)


async def test_one_user_cannot_use_up_what_the_tenant_may(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(10))
    owner = tenant(requests=10, user_requests=1)
    verdicts = await decide_all(door, [message(owner, user="greedy") for _ in range(30)])
    assert count_admitted(verdicts) == 10
    assert reasons(verdicts) == {RefusalReason.USER_RATE_LIMITED_REQUESTS: 20}
    assert isinstance(await door.decide(message(owner, user="other")), Admitted)


async def test_a_refusal_by_one_limit_consumes_nothing_of_the_others(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(10))
    owner = tenant(requests=1, user_tokens=1)
    refused = await decide_all(door, [message(owner, user="u", tokens=6) for _ in range(50)])
    assert count_admitted(refused) == 1
    assert reasons(refused) == {RefusalReason.USER_RATE_LIMITED_TOKENS: 49}
    others = await decide_all(door, [message(owner, user=f"u{n}", tokens=1) for n in range(20)])
    assert count_admitted(others) == 9


async def test_a_message_that_no_bucket_can_hold_is_refused_for_good(open_door: OpenDoor) -> None:
    owner = tenant(tokens=1000)
    verdict = await open_door().decide(message(owner, tokens=1001))
    assert isinstance(verdict, Refused)
    assert verdict.reason is RefusalReason.REQUEST_TOO_LARGE_FOR_LIMIT
    assert verdict.status == 413
    assert not verdict.reason.retryable
    assert "1001" in verdict.message
    assert "1000" in verdict.message


async def test_the_quota_counts_down_to_nothing(open_door: OpenDoor) -> None:
    door = open_door()
    owner = tenant(requests=3, tokens=6000)
    quotas = [(await door.decide(message(owner, tokens=1000))).quota for _ in range(3)]
    assert [quota and quota.remaining_requests for quota in quotas] == [2, 1, 0]
    assert quotas[0] is not None
    assert quotas[0].limit_requests == 3
    assert quotas[0].remaining_tokens == 5000
    assert 0 < quotas[0].reset_requests_seconds <= 20


async def test_tenants_do_not_share_anything(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(1))
    first, second = tenant(requests=1), tenant(requests=1)
    assert isinstance(await door.decide(message(first)), Admitted)
    assert isinstance(await door.decide(message(first)), Refused)
    assert isinstance(await door.decide(message(second)), Admitted)


async def test_of_fifty_with_one_key_one_is_admitted_and_the_others_are_told_which(
    open_door: OpenDoor,
) -> None:
    doors = [open_door() for _ in range(3)]
    owner = tenant(requests=10)
    asked = [message(owner, key="k", body=b"same") for _ in range(50)]
    verdicts = await asyncio.gather(*(doors[n % 3].decide(m) for n, m in enumerate(asked)))
    assert count_admitted(verdicts) == 1
    (winner,) = [m for m, v in zip(asked, verdicts, strict=True) if isinstance(v, Admitted)]
    existing = [verdict for verdict in verdicts if isinstance(verdict, Existing)]
    assert existing == [Existing(winner.message_id, same_body=True)] * 49


async def test_a_key_with_another_body_is_a_conflict_and_another_tenants_key_is_not(
    open_door: OpenDoor,
) -> None:
    door = open_door()
    owner = tenant()
    first = message(owner, key="k", body=b"one")
    await door.decide(first)
    conflict = await door.decide(message(owner, key="k", body=b"two"))
    assert conflict == Existing(first.message_id, same_body=False)
    assert isinstance(await door.decide(message(tenant(), key="k", body=b"two")), Admitted)


async def test_what_is_given_back_can_be_had_again(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(10))
    owner = tenant(requests=1, tokens=10, user_requests=1, user_tokens=10, in_flight=1)
    for _ in range(30):
        asked = message(owner, user="u", tokens=100, key="k")
        assert isinstance(await door.decide(asked), Admitted)
        await door.give_back(asked)
        await door.give_back(asked)
    full = await decide_all(door, [message(owner, user="u") for _ in range(2)])
    assert reasons(full) == {RefusalReason.TOO_MANY_IN_FLIGHT: 1}


async def test_the_same_message_decided_twice_is_consumed_once(open_door: OpenDoor) -> None:
    door = open_door(settings=standing(2))
    owner = tenant(requests=1)
    asked = message(owner)
    for _ in range(5):
        assert isinstance(await door.decide(asked), Admitted)
    assert isinstance(await door.decide(message(owner)), Admitted)
    assert isinstance(await door.decide(message(owner)), Refused)


async def decide_all(door: Admission, asked: list[AdmissionRequest]) -> list[Verdict]:
    return await asyncio.gather(*map(door.decide, asked))


def count_admitted(verdicts: list[Verdict]) -> int:
    return sum(isinstance(verdict, Admitted) for verdict in verdicts)


def reasons(verdicts: list[Verdict]) -> dict[RefusalReason, int]:
    return Counter(verdict.reason for verdict in verdicts if isinstance(verdict, Refused))
