"""A connection to Redis that is reset under uvloop, as the processes run: one kind of error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest
import uvloop
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.errors import RedisUnavailable
from shared.identifiers import new_response_id
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups, wake_channel
from tests.integration.patience import patient_settings
from tests.servers.cut_line import CutLine
from tests.servers.redis import RedisServer

T = TypeVar("T")


@pytest.fixture
def line(redis: RedisServer) -> Iterator[CutLine]:
    with CutLine(redis.port) as line:
        yield line


def under_uvloop(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, 60))


def client_of(line: CutLine) -> Redis:
    return open_redis(patient_settings(f"redis://127.0.0.1:{line.port}/63"))


def test_writing_on_a_connection_that_was_reset_is_an_error_of_redis(line: CutLine) -> None:
    async def write_after_a_reset() -> None:
        client = client_of(line)
        connection = await client.connection_pool.get_connection()
        line.reset()
        async with asyncio.timeout(60):
            while not connection._writer.transport.is_closing():  # noqa: ASYNC110
                await asyncio.sleep(0)
        with pytest.raises(RedisConnectionError):
            await connection.send_packed_command(b"*1\r\n$4\r\nPING\r\n")
        await client.connection_pool.release(connection)
        assert await client.ping(), "the next call has a connection again"
        await client.aclose()

    under_uvloop(write_after_a_reset())


def test_resets_under_load_are_heard_as_redis_unavailable_and_as_nothing_else(
    line: CutLine,
) -> None:
    async def write_while_the_line_is_cut() -> list[BaseException | bool]:
        client = client_of(line)
        replies = ReplyStream(client, ttl_seconds=60)
        outcomes: list[BaseException | bool] = []
        cuts = asyncio.create_task(asyncio.to_thread(_cut, line, 40))

        async def write_one() -> bool:
            return await replies.append(new_response_id(), 1, [b"{}"])

        async def write() -> None:
            while not cuts.done():
                outcomes.extend(await asyncio.gather(write_one(), return_exceptions=True))

        await asyncio.gather(*(write() for _ in range(8)))
        # The last cut may have left a dead connection for each group that was under way.
        last = [await asyncio.gather(write_one(), return_exceptions=True) for _ in range(5)]
        assert [True] in last
        await replies.close()
        await client.aclose()
        return outcomes

    outcomes = under_uvloop(write_while_the_line_is_cut())
    strange = [each for each in outcomes if not isinstance(each, bool | RedisUnavailable)]
    assert strange == []
    assert any(isinstance(each, RedisUnavailable) for each in outcomes), "no reset was felt"


def test_who_listens_and_who_leaves_never_hear_of_a_reset(line: CutLine) -> None:
    async def listen_while_the_line_is_cut() -> None:
        client = client_of(line)
        wakeups = Wakeups(client, retry_seconds=0.01)
        cuts = asyncio.create_task(asyncio.to_thread(_cut, line, 40))

        async def come_and_go(number: int) -> None:
            while not cuts.done():
                async with wakeups.listen(f"resp_{number}"):
                    # Not zero, which would leave the threads that cut no time.
                    await asyncio.sleep(0.001)

        await asyncio.gather(*map(come_and_go, range(50)))
        async with wakeups.listen("resp_last") as event, asyncio.timeout(60):
            await event.wait()
            event.clear()
            await client.publish(wake_channel("resp_last"), b"")
            await event.wait()
        await wakeups.close()
        await client.aclose()

    under_uvloop(listen_while_the_line_is_cut())


def _cut(line: CutLine, times: int) -> None:
    """A hundred times a second."""
    pause = threading.Event()
    for _ in range(times):
        pause.wait(0.01)
        line.reset()
