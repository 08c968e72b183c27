"""Whoever waits for a response is woken over one connection, through restarts of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.connection import Connection, ConnectionPool

from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups, wake_channel
from tests.integration.patience import patient_settings
from tests.servers.redis import RedisServer


@pytest.fixture
async def client(own_redis: RedisServer) -> AsyncIterator[Redis]:
    opened = open_redis(patient_settings(own_redis.url))
    yield opened
    await opened.aclose()


@pytest.fixture
async def wakeups(client: Redis) -> AsyncIterator[Wakeups]:
    opened = Wakeups(client, retry_seconds=0.05)
    yield opened
    await opened.close()


async def woken(event: asyncio.Event, *, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        await event.wait()
    event.clear()


async def test_an_event_that_is_written_wakes_who_listens(wakeups: Wakeups, client: Redis) -> None:
    replies = ReplyStream(client, ttl_seconds=60)
    async with wakeups.listen("resp_1") as event:
        await woken(event)  # the subscription itself: whatever came before it is read now
        await replies.append("resp_1", 1, [b"a"])
        await woken(event)
    await replies.close()


async def test_everybody_who_waits_for_a_response_is_woken_and_nobody_else(
    wakeups: Wakeups, client: Redis
) -> None:
    async with (
        wakeups.listen("resp_1") as first,
        wakeups.listen("resp_1") as second,
        wakeups.listen("resp_2") as other,
    ):
        await woken(first)
        await woken(other)
        second.clear()
        await client.publish(wake_channel("resp_1"), b"")
        await woken(first)
        await woken(second)
        assert not other.is_set()


async def test_a_listener_that_leaves_does_not_silence_the_one_that_stays(
    wakeups: Wakeups, client: Redis
) -> None:
    async with wakeups.listen("resp_1") as stays:
        async with wakeups.listen("resp_1"):
            await woken(stays)
        await client.publish(wake_channel("resp_1"), b"")
        await woken(stays)


async def test_the_last_one_to_leave_unsubscribes(wakeups: Wakeups, client: Redis) -> None:
    for _ in range(3):
        async with wakeups.listen("resp_1") as event:
            await woken(event)
            assert await client.pubsub_numsub(wake_channel("resp_1")) == [
                (b"forebay:wake:resp_1", 1)
            ]
    async with asyncio.timeout(60):
        while await client.pubsub_channels():  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)


async def test_hundreds_of_responses_share_one_connection(wakeups: Wakeups, client: Redis) -> None:
    async def wait_for(number: int) -> None:
        async with wakeups.listen(f"resp_{number}") as event:
            await woken(event)
            await client.publish(wake_channel(f"resp_{number}"), b"")
            await woken(event)

    before = len(await client.client_list(_type="pubsub"))
    waiters = [asyncio.create_task(wait_for(number)) for number in range(200)]
    await asyncio.gather(*waiters)
    assert before == 0
    async with wakeups.listen("resp_x") as event:
        await woken(event)
        assert len(await client.client_list(_type="pubsub")) == 1


async def test_a_redis_that_restarts_wakes_everybody_and_goes_on(
    wakeups: Wakeups, client: Redis, own_redis: RedisServer
) -> None:
    async with wakeups.listen("resp_1") as event:
        await woken(event)
        await asyncio.to_thread(own_redis.kill)
        await woken(event)  # what was published meanwhile is lost, so everybody looks
        await asyncio.to_thread(own_redis.start)
        async with asyncio.timeout(60):
            while not await client.pubsub_channels():  # noqa: ASYNC110 - Redis tells nobody
                await asyncio.sleep(0.02)
        event.clear()
        await client.publish(wake_channel("resp_1"), b"")
        await woken(event)


async def test_listening_while_redis_is_away_never_raises(
    wakeups: Wakeups, own_redis: RedisServer
) -> None:
    await asyncio.to_thread(own_redis.kill)
    async with asyncio.timeout(60), wakeups.listen("resp_1"):
        pass


async def test_who_began_to_listen_while_redis_was_away_is_woken_once_it_is_back(
    wakeups: Wakeups, client: Redis, own_redis: RedisServer
) -> None:
    await asyncio.to_thread(own_redis.kill)
    async with wakeups.listen("resp_1") as early:
        await asyncio.to_thread(own_redis.start)
        async with wakeups.listen("resp_2") as late:
            await woken(late)
        early.clear()
        async with asyncio.timeout(60):
            while not await client.publish(wake_channel("resp_1"), b""):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await woken(early)


async def test_closing_wakes_who_still_waits(wakeups: Wakeups) -> None:
    async with wakeups.listen("resp_1") as event:
        await woken(event)
        await wakeups.close()
        assert event.is_set()


async def test_a_fault_that_nobody_foresaw_does_not_end_the_listening_for_good(
    redis_url: str,
) -> None:
    class Stumbling(Connection):
        """Its first one stumbles over something that is no error of Redis'."""

        has_stumbled = False

        async def connect(self) -> None:
            if not Stumbling.has_stumbled:
                Stumbling.has_stumbled = True
                raise RuntimeError("not foreseen")
            await super().connect()

    pool = ConnectionPool.from_url(redis_url)
    pool.connection_class = Stumbling
    client = Redis(connection_pool=pool)
    wakeups = Wakeups(client, retry_seconds=0.01)
    async with wakeups.listen("resp_1") as event:
        await woken(event)
    assert Stumbling.has_stumbled
    await wakeups.close()
    await pool.aclose()


async def test_it_ends_at_once_wherever_the_end_meets_it(client: Redis) -> None:
    for step in range(200):
        wakeups = Wakeups(client, retry_seconds=0.05)
        async with wakeups.listen("resp_1"):
            for _ in range(step % 20):
                await asyncio.sleep(0)
            async with asyncio.timeout(60):
                await wakeups.close()
