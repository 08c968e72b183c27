"""The flows' figures on a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.dispatch.flows import FLOWS_KEY, Flow, FlowBoard, FlowFigures
from shared.errors import RedisUnavailable
from shared.messages.lane import Lane
from shared.redis.guarded import GuardedRedis

ACME = Flow(Lane.STANDARD, "acme")
SLASHED = Flow(Lane.BATCH, "a/b")
FIGURES = FlowFigures(
    backlog=12, backlog_units=4_800.0, share=0.25, oldest_seconds=3.5, eta_seconds=9.0, reason="…"
)


@pytest.fixture
async def guarded(redis_client: Redis) -> AsyncIterator[GuardedRedis]:
    opened = GuardedRedis(redis_client, SystemClock())
    yield opened
    await opened.close()


@pytest.fixture
def board(guarded: GuardedRedis) -> FlowBoard:
    return FlowBoard(guarded)


async def write(guarded: GuardedRedis, board: FlowBoard, flows: Mapping[Flow, FlowFigures]) -> None:
    outcomes = await guarded.run_each(board.writing(flows, leader="w1", lease_seconds=600.0))
    assert set(outcomes or []) == {1}


async def test_nobody_leads(board: FlowBoard) -> None:
    assert await board.of(ACME) is None
    assert await board.all() is None


async def test_what_is_written_is_read(guarded: GuardedRedis, board: FlowBoard) -> None:
    await write(guarded, board, {ACME: FIGURES, SLASHED: FlowFigures(backlog=1)})

    assert await board.of(ACME) == ("w1", {ACME: FIGURES})
    assert await board.all() == ("w1", {ACME: FIGURES, SLASHED: FlowFigures(backlog=1)})


async def test_a_flow_without_figures_has_no_backlog(
    guarded: GuardedRedis, board: FlowBoard
) -> None:
    await write(guarded, board, {})

    assert await board.of(ACME) == ("w1", {})


async def test_what_has_no_backlog_any_more_is_gone(
    guarded: GuardedRedis, board: FlowBoard
) -> None:
    await write(guarded, board, {ACME: FIGURES})
    await write(guarded, board, {SLASHED: FIGURES})

    assert await board.all() == ("w1", {SLASHED: FIGURES})


async def test_thousands_of_flows(
    guarded: GuardedRedis, board: FlowBoard, redis_client: Redis
) -> None:
    flows = {Flow(Lane.STANDARD, f"t{number}"): FIGURES for number in range(5_000)}
    await write(guarded, board, {ACME: FIGURES})
    await write(guarded, board, flows)

    told = await board.all()
    assert told is not None
    assert told.flows == flows
    assert 0 < await redis_client.pttl(FLOWS_KEY) <= 600_000


@pytest.mark.parametrize("value", [b"no msgpack \xc1", b"\x93\x01\x02\x03"])
async def test_figures_that_are_none_are_refused(
    board: FlowBoard, redis_client: Redis, value: bytes
) -> None:
    await redis_client.hset(FLOWS_KEY, mapping={b"leader": b"w1", ACME.field: value})

    with pytest.raises(RedisUnavailable):
        await board.of(ACME)


async def test_a_key_of_another_type_is_refused(board: FlowBoard, redis_client: Redis) -> None:
    await redis_client.set(FLOWS_KEY, "something else")

    with pytest.raises(RedisUnavailable):
        await board.of(ACME)
