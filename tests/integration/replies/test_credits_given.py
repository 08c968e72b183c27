"""Each turn that is over leaves room for another of its lane, once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from shared.clock import SystemClock
from shared.dispatch.credit import CREDIT_KEY, Credits, LaneSlots
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.redis.scripts import run_scripts
from tests.integration.patience import PatientSettings
from tests.integration.replies.test_ended_turns import EndedTurn, TellingLine, ended_turn
from tests.queued_message import queued_message
from tests.servers.redis import RedisServer
from workers.turn import Turn, begin_turn


async def lead(redis: Redis, free: int = 0) -> None:
    lanes = {lane: LaneSlots(free, 10, has_backlog=True) for lane in Lane}
    await run_scripts(redis, [Credits().setting(lanes, lease_seconds=600.0)])


async def free(redis: Redis, lane: Lane = Lane.STANDARD) -> int:
    return int(await redis.hget(CREDIT_KEY, f"free:{lane}") or 0)


def running(lane: Lane = Lane.STANDARD) -> Turn:
    return begin_turn(queued_message(lane=lane, state=ResponseState.IN_PROGRESS, attempt=1))


def ended(lane: Lane = Lane.STANDARD) -> Turn:
    turn = running(lane)
    turn.end(ResponseState.COMPLETED, SystemClock().now(), output_text="yes")
    return turn


@pytest.fixture
async def told(redis_url: str, patience: PatientSettings) -> AsyncIterator[EndedTurn]:
    async with ended_turn(patience(redis_url), patience(redis_url)) as opened:
        yield opened


async def test_an_end_gives_its_credit_back(told: EndedTurn) -> None:
    await lead(told.redis)
    await told.reply(ended())
    await told.reply(ended(Lane.BATCH))
    await told.reply(ended(Lane.BATCH))
    assert [await free(told.redis, lane) for lane in Lane] == [0, 1, 2]


async def test_a_message_that_ended_without_a_turn_had_none(told: EndedTurn) -> None:
    await lead(told.redis)
    await told.reply.tell(told.record)
    assert await free(told.redis) == 0


async def test_a_turn_that_is_over_without_an_end_gives_with_the_next(told: EndedTurn) -> None:
    await lead(told.redis)
    told.reply.leave(running(Lane.BATCH))
    await told.reply(ended())
    assert [await free(told.redis, lane) for lane in Lane] == [0, 1, 1]
    await told.reply(ended())
    assert [await free(told.redis, lane) for lane in Lane] == [0, 2, 1]


async def test_where_nobody_dispatches_nothing_is_written(told: EndedTurn) -> None:
    await told.reply(ended())
    assert not await told.redis.exists(CREDIT_KEY)
    assert told.told("published") == 1


async def test_what_lies_under_the_key_keeps_nobody_from_being_told(told: EndedTurn) -> None:
    await told.redis.set(CREDIT_KEY, "of another version")
    await told.reply(ended())
    assert told.told("published") == 1


async def test_it_travels_with_the_end_and_is_not_sent_twice(
    redis: RedisServer, redis_url: str, patience: PatientSettings
) -> None:
    with TellingLine(redis.port) as line:
        through = patience(redis_url.replace(f":{redis.port}/", f":{line.port}/"))
        async with ended_turn(through, patience(redis_url)) as turn:
            await lead(turn.redis)
            await turn.reply(ended())
            line.sent.clear()
            line.breaks_after_it_ran = True
            await turn.reply(ended())
            assert line.sent == [3, 2]
            assert turn.told("published") == 2
            assert await free(turn.redis) == 2
