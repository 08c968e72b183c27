"""The broker dies, freezes and comes back: nobody hangs, and nothing confirmed is missing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane
from shared.queueing.declaration import declare_topology
from shared.queueing.producer import Producer, build_message
from shared.queueing.publisher import Publisher
from shared.settings.servers import BrokerSettings
from tests.integration.queueing.conftest import broker_at, eventually, started, until, wake_up
from tests.integration.queueing.intake_door import open_intake_door
from tests.integration.queueing.queue_contents import body_of, drain
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server

GROUP = 20


@pytest.fixture(scope="module", params=[RabbitServer, RedisServer], ids=["rabbitmq", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A broker of these tests alone, to be left running."""
    with request.param() as server:
        yield server


@pytest.fixture
def own_broker(server: Server) -> BrokerSettings:
    broker = broker_at(_fresh_corner(server), publish_timeout_seconds=1.5)
    declare_topology(broker)
    return broker


async def test_what_was_confirmed_survives_a_kill_in_the_middle_of_the_stream(
    server: Server, own_broker: BrokerSettings
) -> None:
    if isinstance(server, RedisServer):
        server.command("CONFIG", "SET", "appendfsync", "always")
    publisher = await started(own_broker)
    confirmed: set[str] = set()
    refused = asyncio.Event()
    streaming = asyncio.create_task(_stream(publisher, confirmed, refused))
    await eventually(lambda: len(confirmed) > 200)
    await asyncio.to_thread(server.kill)
    await asyncio.wait_for(refused.wait(), 10)
    assert not publisher.healthy
    await asyncio.to_thread(server.start)
    await eventually(lambda: publisher.healthy)
    before = len(confirmed)
    await eventually(lambda: len(confirmed) > before + 200)
    streaming.cancel()
    await publisher.close()
    found = await asyncio.to_thread(_ids_in, own_broker)
    assert confirmed <= found


async def test_a_frozen_broker_is_given_up_in_time_and_found_again(
    server: Server, own_broker: BrokerSettings
) -> None:
    publisher = await started(own_broker)
    server.pause()
    began = time.monotonic()
    for _ in range(100):
        publisher.submit(wake_up())
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([wake_up()])
    assert time.monotonic() - began < 2.5
    await eventually(lambda: not publisher.healthy, seconds=3)
    server.resume()
    await eventually(lambda: publisher.healthy)
    await publisher.publish([wake_up()])
    server.pause()
    # Idle now: only a missing heartbeat can tell.
    await eventually(lambda: not publisher.healthy, seconds=8)
    server.resume()
    await publisher.close()


async def test_the_door_reads_on_after_its_broker_was_killed(
    server: Server, own_broker: BrokerSettings, redis_url: str, migrated_sqlite_url: str
) -> None:
    opening = open_intake_door(own_broker, redis_url=redis_url, ledger_url=migrated_sqlite_url)
    async with opening as door:
        with Producer(str(own_broker.url), door.key) as producer:
            first = [build_message(f"Before {number}") for number in range(30)]
            await asyncio.to_thread(producer.post_many, first)
            # What a Redis had given out when it died comes again, two minutes later.
            await until(door.accepted, 30 if isinstance(server, RedisServer) else 1)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(producer.post_many, [build_message("After")])
        await until(door.accepted, 31)
        assert len(await door.accepted()) == 31
        assert await door.dead() == []


async def test_a_memory_alarm_is_not_waited_for(server: Server, own_broker: BrokerSettings) -> None:
    if not isinstance(server, RabbitServer):
        pytest.skip("Redis refuses writes at once when it is full")
    publisher = await started(own_broker)
    server.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.00001).")
    with pytest.raises(BrokerUnavailable):
        await asyncio.wait_for(_stream(publisher, set(), None), 10)
    await eventually(lambda: not publisher.healthy, seconds=3)
    server.evaluate("vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000000000}).")
    await eventually(lambda: publisher.healthy)
    await publisher.publish([wake_up()])
    await publisher.close()


def _fresh_corner(server: Server) -> str:
    if isinstance(server, RabbitServer):
        return server.vhost_url(server.create_vhost())
    assert isinstance(server, RedisServer)
    server.command("FLUSHALL")
    return server.url


async def _stream(publisher: Publisher, confirmed: set[str], refused: asyncio.Event | None) -> None:
    while True:
        group = [wake_up(Lane.BATCH) for _ in range(GROUP)]
        try:
            await publisher.publish(group)
        except BrokerUnavailable:
            if refused is None:
                raise
            refused.set()
        else:
            confirmed.update(each.message_id for each in group)


def _ids_in(broker: BrokerSettings) -> set[str]:
    return {body_of(message)[1]["message_id"] for message in drain(broker, "agent.batch")}
