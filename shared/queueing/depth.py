"""How much waits in each queue, as the broker tells it."""

from __future__ import annotations

from typing import Any

import msgspec
from amqp.exceptions import NotFound
from kombu import Connection
from redis import Redis
from redis.exceptions import RedisError

from shared.errors import BrokerUnavailable
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings


class QueueDepth(msgspec.Struct, frozen=True, kw_only=True):
    """`ready` messages wait for a reader. `consumers` is None where the broker does not count."""

    queue: QueueName
    ready: int
    consumers: int | None = None


def queue_depths(broker: BrokerSettings) -> list[QueueDepth]:
    """One entry for every queue that exists; blocking, bounded by the publish timeout a step.

    Messages that a worker holds unacknowledged are not counted: AMQP does not tell them.
    Raises BrokerUnavailable.
    """
    return _lengths_of_lists(broker) if broker.is_redis else _depths_on_rabbitmq(broker)


def _lengths_of_lists(broker: BrokerSettings) -> list[QueueDepth]:
    patience = broker.publish_timeout_seconds
    redis = Redis.from_url(
        str(broker.url), socket_timeout=patience, socket_connect_timeout=patience
    )
    try:
        with redis, redis.pipeline(transaction=False) as pipe:
            for queue in QueueName:
                pipe.llen(queue.value)
            lengths: list[int] = pipe.execute()
    except RedisError as error:
        raise BrokerUnavailable(f"Redis does not answer: {error}") from error
    return [
        QueueDepth(queue=queue, ready=length)
        for queue, length in zip(QueueName, lengths, strict=True)
    ]


def _depths_on_rabbitmq(broker: BrokerSettings) -> list[QueueDepth]:
    connection = connect_broker(
        broker, patience_seconds=broker.publish_timeout_seconds, heartbeat_seconds=0
    )
    try:
        dial(connection)
        depths = [_depth(connection, queue) for queue in QueueName]
    except (*connection.connection_errors, *connection.channel_errors) as error:
        raise BrokerUnavailable(f"The broker does not answer: {error}") from error
    finally:
        connection.collect()
    return [depth for depth in depths if depth is not None]


def _depth(connection: Connection, queue: QueueName) -> QueueDepth | None:
    try:
        # A queue that is missing closes its channel, so each has its own.
        with connection.channel() as opened:
            channel: Any = opened
            told = channel.queue_declare(queue=queue.value, passive=True)
    except NotFound:
        return None
    return QueueDepth(queue=queue, ready=told.message_count, consumers=told.consumer_count)
