"""`store: false`: once it was fetched, or its time is up, only its cost is left."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from shared.clock import ManualClock
from shared.erasing.erasing import Erasing, open_erasing
from shared.erasing.unstored import FETCHED_GRACE
from shared.errors import RedisUnavailable
from shared.messages.record import MessageRecord, ReplyShape
from shared.messages.state import ResponseState
from shared.persistence.tables import attempt, dead_letter, message
from shared.replies.reply_stream import ReplyStream
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from tests.servers.redis import RedisServer

from .conftest import Talks

GRACE = FETCHED_GRACE.total_seconds() + 1


async def _is_there(talks: Talks, record: MessageRecord) -> bool:
    return await talks.ledger.find(record.id) is not None


async def test_what_was_fetched_goes_after_a_moment_in_which_it_can_be_had_again(
    talks: Talks, erasing: Erasing, clock: ManualClock, redis_client: Redis
) -> None:
    stream = ReplyStream(redis_client, ttl_seconds=60)
    fetched = await talks.answered(store=False, user_id="ann")
    waiting = await talks.answered(store=False)
    stored = await talks.answered()
    for each in (fetched, stored):
        await stream.append(each.id, 1, [b'{"type":"x"}'])
        await talks.ledger.mark_fetched(each.id)
    await erasing()
    assert await _is_there(talks, fetched)
    clock.advance(GRACE)
    await erasing()
    left = [await _is_there(talks, each) for each in (fetched, waiting, stored)]
    assert left == [False, True, True]
    assert [len(await stream.read(each.id, after=-1)) for each in (fetched, stored)] == [0, 1]
    await stream.close()
    assert "secret" not in repr((await talks.rows(message))[0])
    booked = (await talks.rows(attempt))[0]
    assert (booked["detail"], booked["user_id"], booked["provider"]) == (None, "ann", "p")


async def test_what_nobody_fetches_goes_when_its_time_is_up(
    talks: Talks, erasing: Erasing, clock: ManualClock, settings: LedgerSettings
) -> None:
    records = [
        await talks.answered(store=False, state=state)
        for state in (ResponseState.COMPLETED, ResponseState.FAILED, ResponseState.REQUIRES_ACTION)
    ]
    clock.advance(settings.unstored_seconds - 1)
    await erasing()
    assert [await _is_there(talks, each) for each in records] == [True, True, True]
    clock.advance(2)
    await erasing()
    # A human has the last one: it has not ended.
    assert [await _is_there(talks, each) for each in records] == [False, False, True]
    assert await talks.rows(dead_letter) == []


async def test_an_answer_that_went_to_a_queue_was_fetched(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    to_queue = {"reply_to": "answers", "reply_shape": ReplyShape.PLAIN}
    sent = await talks.answered(store=False, **to_queue)
    unsent = await talks.answered(store=False, **to_queue)
    await talks.ledger.mark_replied(sent.id)
    clock.advance(GRACE)
    await erasing()
    assert [await _is_there(talks, each) for each in (sent, unsent)] == [False, True]


async def test_nothing_is_fetched_of_what_has_not_ended(
    talks: Talks, erasing: Erasing, clock: ManualClock
) -> None:
    record = await talks.accept(store=False)
    await talks.ledger.mark_fetched(record.id)
    await talks.end(record)
    clock.advance(GRACE)
    await erasing()
    assert await _is_there(talks, record)


async def test_while_redis_is_away_it_waits_and_goes_as_soon_as_that_is_back(
    talks: Talks, clock: ManualClock, own_redis: RedisServer, settings: LedgerSettings
) -> None:
    record = await talks.answered(store=False)
    clock.advance(settings.unstored_seconds + 1)
    whole = Settings(ledger=settings, redis=RedisSettings(url=ServerUrl(own_redis.url)))
    async with open_erasing(whole, talks.database, clock) as erasing:
        await asyncio.to_thread(own_redis.stop)
        with pytest.raises(RedisUnavailable):
            await erasing()
        await asyncio.to_thread(own_redis.start)
        await erasing()
    assert not await _is_there(talks, record)
