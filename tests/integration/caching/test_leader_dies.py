"""A flight outlives its leader: when its worker is killed one call answers all that wait."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase

import pytest

from deploy.scripted_provider.behaviour import Kind
from shared.messages.state import ResponseState
from tests.integration.caching.telling import cache_report
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road, open_road
from tests.integration.workers.stack import Stack

FOLLOWERS = 5
LEASES = ("FOREBAY_LEDGER__LEASE_SECONDS", "FOREBAY_CACHING__FLIGHT_LEASE_SECONDS")


@pytest.fixture(scope="module")
def stack(stack: Stack) -> Stack:
    leases = dict.fromkeys(LEASES, "6")
    return replace(stack, extra=stack.extra | leases)


@pytest.fixture
def pair(stack: Stack, tmp_path: Path) -> Iterator[list[AgentWorker]]:
    """The leader's worker and the one of those that follow; the second is not started yet."""
    pair = [AgentWorker(stack, tmp_path), AgentWorker(stack, tmp_path)]
    pair[0].start()
    yield pair
    for worker in pair:
        worker.kill()


@pytest.fixture
async def road_between(stack: Stack) -> AsyncIterator[Road]:
    async with open_road(stack) as opened:
        yield opened


async def test_when_the_leaders_worker_is_killed_one_takes_over_for_all(
    road_between: Road, provider: ProviderThread, pair: list[AgentWorker]
) -> None:
    # Letters only, for digits may be somebody's number; new each time, for the cache remembers.
    who = "".join(random.choices(ascii_lowercase, k=12))
    road, question = road_between, f"who takes over from {who}"
    provider.behave(Kind.HANG, contains=question, times=1)
    leader = await road.accept(question)
    await asyncio.to_thread(provider.wait_for_calls, question)
    await asyncio.to_thread(pair[1].start)
    followers = [await road.accept(question) for _ in range(FOLLOWERS)]
    for record in followers:
        await road.until(record, ResponseState.IN_PROGRESS)
    assert len(provider.calls(question)) == 1, "they wait"
    pair[0].kill()
    ended = [await road.ended(record) for record in followers]
    assert {record.output_text for record in ended} == {f"You said: {question}"}
    late = await road.ended(leader)
    assert (late.state, late.attempt) == (ResponseState.COMPLETED, 2)
    # A follower, or the leader's own message when its lease on the ledger ran out first.
    assert [cache_report(record) for record in (*ended, late)].count(None) == 1
    assert len(provider.calls(question)) == 2, "the call that died, and one for all the others"
