"""The events of a response in a real Redis: numbered without gaps, fenced, resumable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from shared.errors import RedisUnavailable
from shared.identifiers import new_response_id
from shared.redis.client import open_redis
from shared.replies.reply_stream import FIRST_WORKER_SEQUENCE, ReplyStream
from shared.replies.wakeups import Wakeups
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.servers.redis import RedisServer


@pytest.fixture
async def replies(redis_client: Redis) -> AsyncIterator[ReplyStream]:
    stream = ReplyStream(redis_client, ttl_seconds=60)
    yield stream
    await stream.close()


async def test_events_are_numbered_from_two_without_gaps(replies: ReplyStream) -> None:
    message_id = new_response_id()
    assert await replies.append(message_id, 1, [b"a", b"b"])
    assert await replies.append(message_id, 1, [b"c"])
    first = FIRST_WORKER_SEQUENCE
    assert await replies.read(message_id, after=-1) == [
        (first, b"a"),
        (first + 1, b"b"),
        (first + 2, b"c"),
    ]


async def test_reading_resumes_after_any_number(replies: ReplyStream) -> None:
    message_id = new_response_id()
    events = [b"%d" % number for number in range(12)]
    await replies.append(message_id, 1, events)
    for after in range(-1, 15):
        read = await replies.read(message_id, after=after)
        assert [number for number, _ in read] == list(range(max(after + 1, 2), 14))


async def test_a_worker_that_lost_its_lease_cannot_speak_any_more(replies: ReplyStream) -> None:
    message_id = new_response_id()
    await replies.append(message_id, 1, [b"old"])
    await replies.append(message_id, 2, [b"new"])
    assert not await replies.append(message_id, 1, [b"late"])
    assert [event for _, event in await replies.read(message_id, after=-1)] == [b"old", b"new"]


async def test_many_writers_at_once_keep_their_own_order(replies: ReplyStream) -> None:
    ids = [new_response_id() for _ in range(50)]

    async def write(message_id: str) -> None:
        for number in range(10):
            assert await replies.append(message_id, 1, [b"%d" % number])

    await asyncio.gather(*map(write, ids))
    for message_id in ids:
        read = await replies.read(message_id, after=-1)
        assert read == [(number + 2, b"%d" % number) for number in range(10)]


async def test_events_are_forgotten_after_their_time(
    replies: ReplyStream, redis_client: Redis
) -> None:
    await replies.append(new_response_id(), 1, [b"a"])
    keys = await redis_client.keys("*")
    assert len(keys) == 2
    for key in keys:
        assert 0 < await redis_client.ttl(key) <= 60


async def test_a_deleted_response_has_no_events(replies: ReplyStream, redis_client: Redis) -> None:
    message_id = new_response_id()
    await replies.append(message_id, 1, [b"a"])
    await replies.delete(message_id)
    assert await replies.read(message_id, after=-1) == []
    assert await redis_client.keys("*") == []


async def test_a_redis_that_forgot_its_scripts_is_taught_again(
    replies: ReplyStream, redis_client: Redis
) -> None:
    message_id = new_response_id()
    await replies.append(message_id, 1, [b"a"])
    await redis_client.script_flush()
    assert await replies.append(message_id, 1, [b"b"])
    assert len(await replies.read(message_id, after=-1)) == 2


async def test_hundreds_of_readers_at_once_are_all_served(replies: ReplyStream) -> None:
    ids = [new_response_id() for _ in range(500)]
    await asyncio.gather(*(replies.append(message_id, 1, [b"a"]) for message_id in ids))
    read = await asyncio.gather(*(replies.read(message_id, after=-1) for message_id in ids))
    assert read == [[(2, b"a")]] * 500


async def test_without_redis_every_call_says_so_in_time(own_redis: RedisServer) -> None:
    client = open_redis(RedisSettings(url=ServerUrl(own_redis.url), timeout_seconds=0.3))
    replies = ReplyStream(client, ttl_seconds=60)
    await replies.append("resp_1", 1, [b"a"])
    own_redis.pause()
    try:
        async with asyncio.timeout(2):
            with pytest.raises(RedisUnavailable):
                await replies.append("resp_1", 1, [b"b"])
            with pytest.raises(RedisUnavailable):
                await replies.read("resp_1", after=-1)
            await replies.wake("resp_1")
    finally:
        own_redis.resume()
    own_redis.kill()
    with pytest.raises(RedisUnavailable):
        await replies.append("resp_1", 1, [b"c"])
    own_redis.start()
    assert await replies.append("resp_1", 1, [b"d"])
    await replies.close()
    await client.aclose()


async def test_of_a_response_that_is_not_streamed_nothing_is_kept(
    replies: ReplyStream, redis_client: Redis
) -> None:
    wakeups = Wakeups(redis_client)
    message_id = new_response_id()
    async with wakeups.listen(message_id) as wake, asyncio.timeout(5):
        await wake.wait()
        wake.clear()
        assert await replies.end(message_id, 1, b'{"type":"response.completed"}')
        await wake.wait()
        assert wake.news == b'{"type":"response.completed"}'
    await wakeups.close()
    assert await redis_client.keys("*") == []


async def test_a_stream_that_was_begun_is_ended_in_it_and_by_its_own_worker(
    replies: ReplyStream,
) -> None:
    message_id = new_response_id()
    await replies.append(message_id, 2, [b"begun"])
    assert not await replies.end(message_id, 1, b"late")
    assert await replies.end(message_id, 2, b"end")
    assert await replies.read(message_id, after=-1) == [(2, b"begun"), (3, b"end")]
