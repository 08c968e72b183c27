"""Consumers on the event loop, what they are given, and a broker behind a line that can break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from kombu import Connection, Message, Queue
from redis import Redis

from shared.queueing.amqp.consumer import AmqpConsumer
from shared.queueing.amqp.transport import AmqpTransport
from shared.queueing.reading.consumer import QueueConsumer
from shared.queueing.redis_lists.consumer import RedisConsumer
from shared.queueing.redis_lists.transport import GuardedTransport
from tests.integration.queueing.conftest import eventually
from tests.servers.rabbitmq import RabbitServer

QUEUE = "lane"


Unsettled = Callable[[str], int]


class Taker:
    """Keeps what it is given, settles nothing by itself, and hears when all of it is lost."""

    def __init__(self, unsettled: Unsettled) -> None:
        self.unsettled = unsettled
        self.taken: list[Message] = []
        self.losses = 0

    def on_message(self, message: Message) -> None:
        self.taken.append(message)

    def on_lost(self) -> None:
        self.losses += 1

    @property
    def bodies(self) -> list[str]:
        return [bytes(message.body).decode() for message in self.taken]

    async def has(self, number: int, *, seconds: float = 60) -> list[Message]:
        await eventually(lambda: len(self.taken) >= number, seconds=seconds)
        return self.taken

    async def has_no_more_than(self, number: int) -> None:
        await asyncio.sleep(0.3)
        assert len(self.taken) == number


Consume = Callable[..., Taker]


@pytest.fixture
def unsettled(request: pytest.FixtureRequest) -> Unsettled:
    """How many messages lie in the queue of a broker or are out of it without being settled."""

    def count(url: str) -> int:
        if not url.startswith("redis"):
            rabbitmq: RabbitServer = request.getfixturevalue("rabbitmq")
            return rabbitmq.unsettled(url, QUEUE)
        with Redis.from_url(url) as redis, redis.pipeline(transaction=True) as both:
            return sum(both.llen(QUEUE).hlen("unacked").execute())

    return count


@pytest.fixture
async def consume(unsettled: Unsettled) -> AsyncIterator[Consume]:
    """Starts consumers of a broker; `taker.consumer` is what a taker is fed by.

    An impatient one gives up a broker that says nothing for a second or two.
    """
    started: list[QueueConsumer] = []

    def start(url: str, *queues: str, prefetch: int = 0, impatient: bool = False) -> Taker:
        taker = Taker(unsettled)
        kind = RedisConsumer if url.startswith("redis") else AmqpConsumer
        consumer: QueueConsumer = kind(
            lambda: connection_to(url, impatient=impatient),
            queues=[Queue(name, routing_key=name) for name in queues or (QUEUE,)],
            prefetch=prefetch,
            events=taker,
        )
        taker.consumer = consumer  # type: ignore[attr-defined]
        started.append(consumer)
        consumer.start()
        return taker

    yield start
    for consumer in started:
        await consumer.close()


def connection_to(url: str, *, impatient: bool = False) -> Connection:
    is_redis, patience = url.startswith("redis"), 1.5 if impatient else 60.0
    options = {"socket_timeout": patience, "visibility_timeout": 600}
    if not is_redis:
        options = {"read_timeout": patience, "write_timeout": patience}
    connection = Connection(
        url,
        heartbeat=1 if impatient else 60,
        connect_timeout=patience,
        transport_options=options,
    )
    transport = GuardedTransport if is_redis else AmqpTransport
    connection.get_transport_cls = lambda: transport  # type: ignore[method-assign]
    return connection


def declare(url: str, *names: str) -> None:
    """So that what is put before a consumer comes is not dropped."""
    if not url.startswith("redis"):
        with Connection(url) as connection:
            for name in names or (QUEUE,):
                Queue(name, routing_key=name)(connection.default_channel).declare()
