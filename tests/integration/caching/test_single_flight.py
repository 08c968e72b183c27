"""Equal messages that are under way share one call, whichever worker has them."""

from __future__ import annotations

import asyncio
import re

from deploy.scripted_provider.behaviour import Kind
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.turn_report import CacheKind
from tests.integration.caching.telling import cache_report, hit
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road

CROWD = 40


async def crowd(road: Road, question: str, *, seconds: float = 60) -> list[MessageRecord]:
    """The same message many times at once; all of them once they have ended."""
    accepted = [await road.accept(question, wake=False, seconds=seconds) for _ in range(CROWD)]
    for record in accepted:
        road.wake(record)
    return list(await asyncio.gather(*map(road.ended, accepted)))


def kinds(records: list[MessageRecord]) -> list[CacheKind | None]:
    reports = map(cache_report, records)
    return [None if report is None else report.kind for report in reports]


async def test_a_crowd_that_asks_the_same_is_answered_with_one_call(
    road: Road, provider: ProviderThread
) -> None:
    for seconds in (0.5, 5, 20):  # on a busy machine the first may pass before others are there
        question = f"all at once within {seconds}"
        provider.behave(Kind.LATENCY, contains=question, seconds=seconds)
        records = await crowd(road, question)
        assert {record.output_text for record in records} == {f"You said: {question}"}
        assert len(provider.calls(question)) == 1
        assert kinds(records).count(None) == 1
        if CacheKind.SINGLE_FLIGHT in kinds(records):
            break
    leader = next(record for record in records if cache_report(record) is None)
    followers = [record for record in records if record is not leader]
    assert all(hit(record).response_id == leader.id for record in followers)
    assert all(record.cost == 0 for record in followers)
    assert CacheKind.SINGLE_FLIGHT in kinds(records)


async def test_both_workers_had_a_part_in_it(
    road: Road, provider: ProviderThread, workers: tuple[AgentWorker, AgentWorker]
) -> None:
    provider.behave(Kind.LATENCY, contains="from two sides", seconds=1)
    for number in range(60):  # one that is quick may have all of a crowd before the other looks
        question = f"from two sides, {number}"
        records = await crowd(road, question)
        assert len(provider.calls(question)) == 1
        names = {await _claimed_by(road, record) for record in records}
        pids = {re.search(r":(\d+):", name or "")[1] for name in names if name}  # type: ignore[index]
        if len(pids) > 1:
            break
    assert pids == {str(worker.pid) for worker in workers}


async def test_when_the_leader_fails_the_others_call_by_themselves_and_none_is_lost(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.SERVER_ERROR, contains="the first one fails", times=1)
    records = await crowd(road, "the first one fails")
    assert all(record.state is ResponseState.COMPLETED for record in records)
    by_rules = [record for record in records if record.answered_by == "rules"]
    assert len(by_rules) == 1, "an answer of the rules is not shared"


async def test_a_follower_waits_for_a_part_of_its_time_and_then_calls(
    road: Road, provider: ProviderThread
) -> None:
    provider.behave(Kind.HANG, contains="takes for ever", times=1)
    leader = await road.accept("takes for ever", seconds=60)
    await asyncio.to_thread(provider.wait_for_calls, "takes for ever")
    for seconds in (4, 20):  # on a busy machine the rest of the first may be too short for a call
        follower = await road.ended(await road.accept("takes for ever", seconds=seconds))
        if follower.state is ResponseState.COMPLETED:
            break
    assert follower.state is ResponseState.COMPLETED
    assert cache_report(follower) is None
    await road.ledger.cancel(leader.id, tenant_id=leader.tenant_id)


async def _claimed_by(road: Road, record: MessageRecord) -> str | None:
    from sqlalchemy import select

    from shared.persistence.tables import message

    async with road.database.relaxed.connect() as connection:
        query = select(message.c.claimed_by).where(message.c.id == record.id)
        return (await connection.execute(query)).scalar_one()
