"""Redis dead, frozen, restarted or emptied: there is a verdict within a second, always.

A busy machine may take longer; each for itself, all who ask here would take minutes.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

import msgspec
import pytest

from ingress.admission.admission import Admission
from ingress.admission.question import AdmissionRequest
from ingress.admission.verdict import Admitted, Existing, RefusalReason, Refused, Verdict
from shared.redis.client import open_redis
from shared.reservations.reservations import slots_key
from shared.settings.door import LimitSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.integration.admission.conftest import door, message, tenant, until
from tests.integration.patience import PatientSettings, patient_circuits, patient_settings
from tests.servers.redis import RedisServer

SOON_SECONDS = 30.0
CIRCUIT_SECONDS = 3.0
"""So long those wait for a frozen Redis who are on their way."""


async def test_a_dead_redis_leaves_a_tenth_of_the_plan_and_honest_refusals(
    own_redis: RedisServer, stack: AsyncExitStack
) -> None:
    admission = door(_impatient(own_redis.url), stack)
    owner = tenant(requests=1000)
    assert isinstance(await admission.decide(message(owner)), Admitted)
    own_redis.kill()
    began = time.monotonic()
    verdicts, slowest = await timed(admission, [message(owner) for _ in range(500)])
    refilled = (time.monotonic() - began) * 100 / 60
    assert slowest < SOON_SECONDS
    admitted = [verdict for verdict in verdicts if isinstance(verdict, Admitted)]
    assert all(verdict.local for verdict in admitted)
    assert 100 <= len(admitted) <= 101 + refilled
    refused = [verdict for verdict in verdicts if isinstance(verdict, Refused)]
    assert {refusal.reason for refusal in refused} == {RefusalReason.UNAVAILABLE}
    assert {refusal.status for refusal in refused} == {503}
    assert all(refusal.retry_after_seconds > 0 for refusal in refused)


async def test_a_frozen_redis_holds_up_only_those_who_were_on_their_way(
    own_redis: RedisServer, stack: AsyncExitStack
) -> None:
    with patient_circuits(CIRCUIT_SECONDS):
        admission = door(patient_settings(own_redis.url), stack)
    owner = tenant()
    await admission.decide(message(owner))
    own_redis.pause()
    first, slowest = await timed(admission, [message(owner) for _ in range(1000)])
    assert slowest < SOON_SECONDS
    assert all(isinstance(verdict, Admitted) and verdict.local for verdict in first)
    until = time.monotonic() + 2.5
    while time.monotonic() < until:  # over several probes, nobody waits for any of them
        verdict = asyncio.create_task(admission.decide(message(owner)))
        await asyncio.sleep(0)
        assert verdict.done(), "the loop has turned once"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("away", ["killed", "frozen"])
async def test_limits_are_shared_again_soon_after_redis_is_back(
    away: str, own_redis: RedisServer, stack: AsyncExitStack
) -> None:
    admission = door(_impatient(own_redis.url), stack)
    owner = tenant()
    await admission.decide(message(owner))
    own_redis.kill() if away == "killed" else own_redis.pause()
    assert (await admission.decide(message(owner))).local
    own_redis.start() if away == "killed" else own_redis.resume()
    await until(lambda: shares_limits(admission))
    # Replies belong to their own questions, also those that a frozen server answers late.
    asked = [message(owner, key=str(number)) for number in range(50)]

    async def all_are_known() -> bool:
        verdicts, _ = await timed(admission, asked)
        pairs = zip(verdicts, asked, strict=True)
        known = [(each, a) for each, a in pairs if isinstance(each, Existing)]
        assert all(each.message_id == a.message_id for each, a in known)
        return len(known) == len(asked)

    await until(all_are_known)


async def test_what_a_frozen_redis_admitted_late_and_the_door_refused_is_given_back(
    own_redis: RedisServer, stack: AsyncExitStack
) -> None:
    no_share = msgspec.structs.replace(LimitSettings(), local_share=0.0)
    admission = door(_impatient(own_redis.url), stack, settings=no_share)
    owner = tenant()
    first = message(owner)

    async def first_is_held() -> bool:
        verdict = await admission.decide(first)
        return isinstance(verdict, Admitted) and not verdict.local

    await until(first_is_held)
    own_redis.pause()
    verdicts, _ = await timed(admission, [message(owner, key=str(n)) for n in range(200)])
    assert all(isinstance(verdict, Refused) for verdict in verdicts)
    own_redis.resume()
    redis = open_redis(patient_settings(own_redis.url))
    stack.push_async_callback(redis.aclose)

    async def late_ones_are_held() -> bool:
        return await redis.zcard(slots_key(owner.id)) > 1

    async def only_the_first_is_held() -> bool:
        held = await redis.zrange(slots_key(owner.id), 0, -1)
        return held == [first.message_id.encode()]

    await until(late_ones_are_held)
    await until(lambda: shares_limits(admission))
    await until(only_the_first_is_held)
    assert not await redis.keys("*:idempotency:*")


async def test_scripts_and_data_may_be_flushed_at_any_time(
    own_redis: RedisServer, stack: AsyncExitStack, patience: PatientSettings
) -> None:
    admission = door(patience(own_redis.url), stack)
    owner = tenant(requests=100)
    for command in (["SCRIPT", "FLUSH"], ["FLUSHALL"]):
        own_redis.command(*command)
        own_redis.command("SCRIPT", "FLUSH")
        verdicts, _ = await timed(admission, [message(owner) for _ in range(20)])
        assert all(isinstance(verdict, Admitted) and not verdict.local for verdict in verdicts)


async def test_a_redis_that_was_never_there_is_no_reason_to_hang(stack: AsyncExitStack) -> None:
    admission = door(_impatient("redis://127.0.0.1:1/0"), stack)
    verdicts, slowest = await timed(admission, [message(tenant()) for _ in range(100)])
    assert slowest < SOON_SECONDS
    assert all(isinstance(verdict, Admitted) and verdict.local for verdict in verdicts)


def _impatient(url: str) -> RedisSettings:
    """The product's."""
    return RedisSettings(url=ServerUrl(url))


async def shares_limits(admission: Admission) -> bool:
    """Whether verdicts come from Redis."""
    verdict = await admission.decide(message(tenant()))
    return isinstance(verdict, Admitted) and not verdict.local


async def timed(admission: Admission, asked: list[AdmissionRequest]) -> tuple[list[Verdict], float]:
    """The verdicts on all of them, asked for at once, and how long the slowest took."""

    async def one(request: AdmissionRequest) -> tuple[Verdict, float]:
        began = time.monotonic()
        return await admission.decide(request), time.monotonic() - began

    answers = await asyncio.gather(*map(one, asked))
    return [verdict for verdict, _ in answers], max(seconds for _, seconds in answers)


async def test_a_commit_that_redis_refused_to_note_is_told_to_it_again(
    own_redis: RedisServer, stack: AsyncExitStack, patience: PatientSettings
) -> None:
    admission = door(patience(own_redis.url), stack)
    redis = open_redis(patience(own_redis.url))
    stack.push_async_callback(redis.aclose)
    owner = tenant()
    committed, never = (message(owner, seconds_left=3_600.0) for _ in range(2))
    for each in (committed, never):
        await admission.decide(each)

    async def has_refused() -> bool:
        return "errorstat_OOM" in await redis.info("errorstats")

    own_redis.command("CONFIG", "SET", "maxmemory", "1")
    admission.committed(committed)
    await until(has_refused)
    own_redis.command("CONFIG", "SET", "maxmemory", "0")
    await redis.ping()  # by when the door has read the refusal, which came before
    await admission.close()
    ends = [await redis.zscore(slots_key(owner.id), each.message_id) for each in (committed, never)]
    assert ends[0] - ends[1] > 3_000
