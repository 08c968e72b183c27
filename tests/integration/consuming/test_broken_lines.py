"""A line breaks at the worst moment, a broker freezes or dies: nothing is lost, nobody hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from amqp.exceptions import NotFound
from kombu import Connection, Queue

from tests.integration.consuming.conftest import QUEUE, Consume, Taker, connection_to, declare
from tests.integration.consuming.test_consumers import numbers, put
from tests.integration.queueing.conftest import eventually
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server
from tests.servers.trap_line import TrapLine

ACKNOWLEDGEMENT = b"\x00\x3c\x00\x50"


@pytest.fixture
def line(broker_url: str) -> Iterator[TrapLine]:
    with TrapLine(urlsplit(broker_url).port or 0) as line:
        yield line


def through(line: TrapLine, url: str) -> str:
    return url.replace(f":{urlsplit(url).port}/", f":{line.port}/")


@pytest.fixture(params=["rabbitmq", "redis"])
def mortal(request: pytest.FixtureRequest) -> tuple[Server, str]:
    """A server that may be paused and killed, and an empty corner of it."""
    if request.param == "redis":
        redis: RedisServer = request.getfixturevalue("own_redis")
        return redis, redis.url
    rabbitmq: RabbitServer = request.getfixturevalue("mortal_rabbitmq")
    return rabbitmq, request.getfixturevalue("amqp_url")


async def acknowledge_until(is_so: Callable[[], bool], taker: Taker) -> set[str]:
    """Settles whatever comes; what was seen in the end."""
    seen: set[str] = set()

    def look() -> bool:
        for message in taker.taken:
            if not message.acknowledged:
                seen.add(bytes(message.body).decode())
                message.ack()
        return is_so()

    await eventually(look)
    return seen


async def acknowledge_until_empty(taker: Taker, url: str) -> set[str]:
    return await acknowledge_until(lambda: taker.unsettled(url) == 0, taker)


async def test_an_acknowledgement_that_is_lost_makes_the_message_come_again(
    broker_url: str, line: TrapLine, consume: Consume
) -> None:
    declare(broker_url)
    await asyncio.to_thread(put, broker_url, "once")
    taker = consume(through(line, broker_url))
    (message,) = await taker.has(1)
    bait = b"HDEL" if broker_url.startswith("redis") else ACKNOWLEDGEMENT
    line.set_trap(bait, is_heard=False)
    message.ack()
    assert await asyncio.to_thread(line.sprung.wait, 60)
    if broker_url.startswith("redis"):
        # Told again, for it is this one's still.
        await eventually(lambda: taker.unsettled(broker_url) == 0)
        assert taker.bodies == ["once"]
        return
    assert await acknowledge_until_empty(taker, broker_url) == {"once"}
    assert taker.bodies == ["once", "once"]
    assert taker.losses == 1


async def test_a_fetch_whose_answer_is_lost_loses_nothing(redis_url: str, consume: Consume) -> None:
    with TrapLine(urlsplit(redis_url).port or 0) as line:
        taker = consume(through(line, redis_url))
        await asyncio.to_thread(put, redis_url, "before")
        (before,) = await taker.has(1)
        before.ack()
        await eventually(lambda: taker.unsettled(redis_url) == 0)
        line.set_trap(b"EVALSHA", is_heard=True)
        await asyncio.to_thread(put, redis_url, *numbers(30))
        assert await asyncio.to_thread(line.sprung.wait, 60)
        # Whatever the script took is recorded, and found again by whom it was recorded for.
        seen = await acknowledge_until_empty(taker, redis_url)
    assert seen == set(numbers(30))
    assert len(taker.taken) == 31, "none twice"


async def test_a_line_that_breaks_again_and_again_loses_nothing(
    broker_url: str, line: TrapLine, consume: Consume
) -> None:
    declare(broker_url)
    taker = consume(through(line, broker_url), prefetch=10)
    await taker_is_there(taker, broker_url)
    for round_number in range(4):
        await asyncio.to_thread(put, broker_url, *(f"{round_number}-{n}" for n in range(10)))
        await eventually(lambda: any(not message.acknowledged for message in taker.taken))
        for message in taker.taken[-3:]:
            if not message.acknowledged:
                message.ack()
        line.reset()
    expected = {f"{r}-{n}" for r in range(4) for n in range(10)}
    await acknowledge_until(lambda: expected <= set(taker.bodies), taker)
    await acknowledge_until_empty(taker, broker_url)


async def test_a_line_whose_far_end_vanished_is_given_up(
    broker_url: str, line: TrapLine, consume: Consume
) -> None:
    taker = consume(through(line, broker_url), impatient=True)
    await taker_is_there(taker, broker_url)
    await asyncio.to_thread(put, broker_url, "settled", "in hand")
    await eventually(lambda: {"settled", "in hand"} <= set(taker.bodies))
    line.go_silent()
    taker.taken[taker.bodies.index("settled")].ack()  # nobody hears of it
    await asyncio.to_thread(put, broker_url, "after")
    await eventually(lambda: line.unanswered > 0, seconds=300)
    line.speak()
    # Found by two heartbeats that did not come, on Redis by a wait that nothing answered in time.
    await eventually(lambda: "after" in taker.bodies, seconds=300)
    if broker_url.startswith("redis"):
        # Both are this one's still: the one is told again, the other settled like any.
        assert await acknowledge_until_empty(taker, broker_url) >= {"in hand", "after"}
        assert sorted(taker.bodies) == ["after", "in hand", "settled", "there?"]
        return
    for body in ("settled", "in hand"):
        await eventually(lambda body=body: taker.bodies.count(body) > 1, seconds=300)
    await acknowledge_until_empty(taker, broker_url)


async def test_a_frozen_broker_is_given_up_and_found_again(
    mortal: tuple[Server, str], consume: Consume
) -> None:
    server, url = mortal
    declare(url)
    taker = consume(url, impatient=True)
    await taker_is_there(taker, url)
    server.pause()
    if isinstance(server, RabbitServer):
        await eventually(lambda: taker.losses > 0)  # two heartbeats of a second each
    else:
        await asyncio.sleep(3)  # longer than it waits for an answer; nobody is told of it
    server.resume()
    await asyncio.to_thread(put, url, "after")
    await eventually(lambda: "after" in taker.bodies)
    assert await acknowledge_until_empty(taker, url) >= {"after"}


async def test_a_killed_broker_is_found_again(mortal: tuple[Server, str], consume: Consume) -> None:
    server, url = mortal
    declare(url)
    taker = consume(url)
    await taker_is_there(taker, url)
    await asyncio.to_thread(server.kill)
    await asyncio.sleep(0.5)
    await asyncio.to_thread(server.start)
    await asyncio.to_thread(put, url, "after")
    await eventually(lambda: "after" in taker.bodies)


async def test_a_queue_that_is_deleted_is_declared_again_and_read(
    amqp_url: str, consume: Consume
) -> None:
    taker = consume(amqp_url)
    await taker_is_there(taker, amqp_url)
    delete(amqp_url)
    await eventually(lambda: is_there(amqp_url))
    await asyncio.to_thread(put, amqp_url, "after")
    await eventually(lambda: "after" in taker.bodies)


async def test_a_queue_that_returns_with_other_arguments_is_read_once_it_is_right(
    amqp_url: str, consume: Consume, caplog: pytest.LogCaptureFixture
) -> None:
    taker = consume(amqp_url)
    await taker_is_there(taker, amqp_url)
    with connection_to(amqp_url) as connection, connection.channel() as channel:
        channel.queue_delete(QUEUE)
        other = Queue(QUEUE, routing_key=QUEUE, queue_arguments={"x-max-length": 5})
        other(channel).declare()
    await asyncio.sleep(1.5)
    await asyncio.to_thread(put, amqp_url, "meanwhile")
    await taker.has_no_more_than(1)
    delete(amqp_url)
    await eventually(lambda: is_there(amqp_url))
    await asyncio.to_thread(put, amqp_url, "after")
    await eventually(lambda: "after" in taker.bodies)


async def taker_is_there(taker: Taker, url: str) -> None:
    declare(url)
    await asyncio.to_thread(put, url, "there?")
    await taker.has(1)
    # An impatient one may lose its line before it has settled it, and is given it again.
    await acknowledge_until_empty(taker, url)


def delete(url: str) -> None:
    with Connection(url) as connection, connection.channel() as channel:
        channel.queue_delete(QUEUE)


def is_there(url: str) -> bool:
    try:
        with connection_to(url) as connection, connection.channel() as channel:
            channel.queue_declare(QUEUE, passive=True)
    except NotFound:
        return False
    return True
