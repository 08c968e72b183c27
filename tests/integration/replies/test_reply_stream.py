"""The events of a response in a real Redis: numbered without gaps, fenced, resumable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from shared.errors import RedisUnavailable
from shared.identifiers import new_response_id
from shared.redis.client import open_redis
from shared.redis.scripts import ScriptCall, lua_script, run_scripts
from shared.replies.reply_stream import FIRST_WORKER_SEQUENCE, ReplyStream
from shared.replies.wakeups import Wakeups, wake_channel
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.integration.patience import patient_settings
from tests.servers.redis import RedisServer

END = b'{"type":"response.completed"}'


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
    client = open_redis(patient_settings(own_redis.url))
    hasty = open_redis(RedisSettings(url=ServerUrl(own_redis.url), timeout_seconds=0.3))
    replies, hasty_replies = (ReplyStream(each, ttl_seconds=60) for each in (client, hasty))
    await replies.append("resp_1", 1, [b"a"])
    own_redis.pause()
    try:
        async with asyncio.timeout(60):
            with pytest.raises(RedisUnavailable):
                await hasty_replies.append("resp_1", 1, [b"b"])
            with pytest.raises(RedisUnavailable):
                await hasty_replies.read("resp_1", after=-1)
            await hasty_replies.wake("resp_1")
    finally:
        own_redis.resume()
    await hasty_replies.close()
    await hasty.aclose()
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
    async with wakeups.listen(message_id) as wake, asyncio.timeout(60):
        await wake.wait()
        wake.clear()
        assert await end(redis_client, replies, message_id, 1, END) == 0
        await wake.wait()
        assert wake.news == END
    await wakeups.close()
    assert await redis_client.keys("*") == []


async def test_a_stream_that_was_begun_is_ended_in_it_and_by_its_own_worker(
    replies: ReplyStream, redis_client: Redis
) -> None:
    message_id = new_response_id()
    await replies.append(message_id, 2, [b"begun"])
    assert await end(redis_client, replies, message_id, 1, b"late") == -1
    assert await end(redis_client, replies, message_id, 2, b"end") == 3
    assert await replies.read(message_id, after=-1) == [(2, b"begun"), (3, b"end")]


@pytest.mark.parametrize("goes_on", [False, True])
async def test_an_end_that_is_written_again_wakes_again_and_ends_nothing_twice(
    replies: ReplyStream, redis_client: Redis, goes_on: bool
) -> None:
    message_id = new_response_id()
    await replies.append(message_id, 1, [b"begun"])
    async with redis_client.pubsub() as pubsub:
        await pubsub.subscribe(wake_channel(message_id))
        for _ in range(2):
            assert await end(redis_client, replies, message_id, 1, END, goes_on=goes_on) == 3
        said = await published(pubsub, 2)
    assert said == [b"3\n" + END] * 2
    assert await replies.read(message_id, after=-1) == [(2, b"begun"), (3, END)]


async def test_what_a_human_has_is_kept_and_goes_on(
    replies: ReplyStream, redis_client: Redis
) -> None:
    message_id = new_response_id()
    assert await end(redis_client, replies, message_id, 1, b"a human has it", goes_on=True) == 2
    assert await end(redis_client, replies, message_id, 2, b"and again", goes_on=True) == 3
    assert await end(redis_client, replies, message_id, 2, END) == 4
    kept = await replies.read(message_id, after=-1)
    assert kept == [(2, b"a human has it"), (3, b"and again"), (4, END)]


async def test_a_wake_up_carries_what_is_small(replies: ReplyStream, redis_client: Redis) -> None:
    message_id, large = new_response_id(), b"x" * 65_536
    async with redis_client.pubsub() as pubsub:
        await pubsub.subscribe(wake_channel(message_id))
        assert await end(redis_client, replies, message_id, 1, large + b"x") == 0
        assert await end(redis_client, replies, message_id, 1, large) == 0
        await replies.append(message_id, 1, [b"a", b"b"])
        await replies.append(message_id, 1, [large])
        await end(redis_client, replies, message_id, 1, large)
        await end(redis_client, replies, message_id, 1, END)
        said = await published(pubsub, 6)
    assert said == [b"0", large, b"3\na\nb", b"4", b"5", b"5\n" + END]


async def test_what_a_server_forgot_is_run_once_though_others_of_its_group_were_not_forgotten(
    redis_client: Redis,
) -> None:
    known, forgotten = (lua_script(b"return redis.call('RPUSH', KEYS[1], %d)" % n) for n in (1, 2))
    await redis_client.script_load(known.source)
    runs = [(script, ScriptCall(("list",), ())) for script in (known, forgotten, known)]
    assert await run_scripts(redis_client, runs) == [1, 3, 2]
    assert await redis_client.lrange("list", 0, -1) == [b"1", b"1", b"2"]


async def end(
    redis: Redis,
    replies: ReplyStream,
    message_id: str,
    attempt: int,
    event: bytes,
    *,
    goes_on: bool = False,
) -> int:
    ending = replies.ending(message_id, attempt, event, goes_on=goes_on)
    [outcome] = await run_scripts(redis, [ending])
    return int(outcome)


async def published(pubsub: PubSub, number: int) -> list[bytes]:
    said: list[bytes] = []
    async with asyncio.timeout(60):
        while len(said) < number:
            told = await pubsub.get_message(ignore_subscribe_messages=True, timeout=60)
            said += [told["data"]] if told else []
    return said
