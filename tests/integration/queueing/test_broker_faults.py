"""The broker dies, freezes and comes back: nobody hangs, and nothing confirmed is missing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import msgspec
import pytest

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane
from shared.queueing.declaration import declare_topology
from shared.queueing.producer import Producer, build_message
from shared.queueing.publisher import Publisher
from shared.resilience import backoff
from shared.settings.servers import BrokerSettings
from tests.integration.queueing.conftest import broker_at, eventually, started, until, wake_up
from tests.integration.queueing.intake_door import open_intake_door
from tests.integration.queueing.queue_contents import drain, woken_by
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server

GROUP = 20


@pytest.fixture(scope="module", params=["rabbitmq", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A broker that nobody else uses meanwhile, to be left running."""
    if request.param == "rabbitmq":
        yield request.getfixturevalue("mortal_rabbitmq")
        return
    with RedisServer() as server:
        yield server


@pytest.fixture
def own_broker(server: Server) -> Iterator[BrokerSettings]:
    with _corner(server) as url:
        broker = broker_at(url, publish_timeout_seconds=1.5)
        declare_topology(broker)
        yield broker


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The boot of a RabbitMQ lets the waits grow to seconds, and the last one outlasts it."""
    monkeypatch.setattr(backoff, "_LONGEST_SECONDS", 0.5)


async def test_a_killed_broker_has_what_it_confirmed_and_the_door_reads_on(
    server: Server, own_broker: BrokerSettings, redis_url: str, migrated_sqlite_url: str
) -> None:
    if isinstance(server, RedisServer):
        server.command("CONFIG", "SET", "appendfsync", "always")
    publisher = await started(own_broker)
    opening = open_intake_door(own_broker, redis_url=redis_url, ledger_url=migrated_sqlite_url)
    async with opening as door, _streaming(publisher) as stream:
        with Producer(str(own_broker.url), door.key) as producer:
            first = [build_message(f"Before {number}") for number in range(30)]
            await asyncio.to_thread(producer.post_many, first)
            # What a Redis had given out when it died comes again, two minutes later.
            await until(door.accepted, 30 if isinstance(server, RedisServer) else 1)
            await eventually(lambda: len(stream.confirmed) > 200)
            await asyncio.to_thread(server.kill)
            stream.refused.clear()  # what a busy machine held up may have been refused before
            await asyncio.wait_for(stream.refused.wait(), 60)
            await eventually(lambda: not publisher.healthy)
            await asyncio.to_thread(server.start)
            await asyncio.to_thread(producer.post_many, [build_message("After")])
        await eventually(lambda: publisher.healthy)
        before = len(stream.confirmed)
        await eventually(lambda: len(stream.confirmed) > before + 200)
        await until(door.accepted, 31)
        assert len(await door.accepted()) == 31
        assert await door.dead() == []
    await publisher.close()
    assert stream.confirmed <= await asyncio.to_thread(_ids_in, own_broker)


async def test_a_frozen_broker_is_given_up_in_time_and_found_again(
    server: Server, own_broker: BrokerSettings
) -> None:
    impatient = {"heartbeat_seconds": 1, "publish_timeout_seconds": 1.0}
    publisher = await started(msgspec.structs.replace(own_broker, **impatient))
    server.pause()
    began = time.monotonic()
    for _ in range(100):
        publisher.submit(wake_up())
    with pytest.raises(BrokerUnavailable):
        await publisher.publish([wake_up()])
    assert time.monotonic() - began < 50, "one after the other, they take 100 s"
    await eventually(lambda: not publisher.healthy)
    server.resume()
    await _published(publisher)
    server.pause()
    # Idle now: only a missing heartbeat can tell.
    await eventually(lambda: not publisher.healthy)
    server.resume()
    await publisher.close()


async def test_a_memory_alarm_is_not_waited_for(server: Server, own_broker: BrokerSettings) -> None:
    if not isinstance(server, RabbitServer):
        pytest.skip("Redis refuses writes at once when it is full")
    publisher = await started(own_broker)
    with _memory_alarm(server):
        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(_publish_on(publisher, set()), 60)
        await eventually(lambda: not publisher.healthy)
    await _published(publisher)
    await publisher.close()


async def _published(publisher: Publisher) -> None:
    """Returns once it has published; on a busy machine the first second may not be enough."""
    async with asyncio.timeout(60):
        while True:
            await eventually(lambda: publisher.healthy)
            with contextlib.suppress(BrokerUnavailable):
                return await publisher.publish([wake_up()])


@contextmanager
def _memory_alarm(server: RabbitServer) -> Iterator[None]:
    watermark = "vm_memory_monitor:set_vm_memory_high_watermark"
    server.evaluate(f"{watermark}(0.00001).")
    try:
        yield
    finally:
        server.evaluate(f"{watermark}({{absolute, 1000000000}}).")


@contextmanager
def _corner(server: Server) -> Iterator[str]:
    if isinstance(server, RabbitServer):
        vhost = server.create_vhost()
        yield server.vhost_url(vhost)
        server.delete_vhost(vhost)
        return
    assert isinstance(server, RedisServer)
    server.command("FLUSHALL")
    yield server.url


class _Stream(msgspec.Struct):
    """What a publisher was told of a stream of messages that goes on until the end."""

    confirmed: set[str] = msgspec.field(default_factory=set)
    refused: asyncio.Event = msgspec.field(default_factory=asyncio.Event)

    async def flow(self, publisher: Publisher) -> None:
        while True:
            try:
                await _publish_on(publisher, self.confirmed)
            except BrokerUnavailable:
                self.refused.set()
                await asyncio.sleep(0.05)  # it is refused at once, and a server is to boot


@asynccontextmanager
async def _streaming(publisher: Publisher) -> AsyncIterator[_Stream]:
    stream = _Stream()
    flowing = asyncio.create_task(stream.flow(publisher))
    yield stream
    flowing.cancel()


async def _publish_on(publisher: Publisher, confirmed: set[str]) -> None:
    """Until one is refused."""
    while True:
        group = [wake_up(Lane.BATCH) for _ in range(GROUP)]
        await publisher.publish(group)
        confirmed.update(each.message_id for each in group)


def _ids_in(broker: BrokerSettings) -> set[str]:
    return {each for message in drain(broker, "agent.batch") for each in woken_by(message)}
