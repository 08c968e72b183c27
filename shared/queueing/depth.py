"""How much waits in each queue, as the broker tells it."""

from __future__ import annotations

from typing import Any

import msgspec
from kombu import Connection

from shared.errors import BrokerUnavailable
from shared.queueing.broker_connection import connect_broker
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings

_QUEUE_IS_MISSING = 404


class QueueDepth(msgspec.Struct, frozen=True, kw_only=True):
    """`ready` messages wait for a reader. `consumers` is None where the broker does not count."""

    queue: QueueName
    ready: int
    consumers: int | None


def queue_depths(broker: BrokerSettings) -> list[QueueDepth]:
    """One entry for every queue that exists; blocking, bounded by the publish timeout a step.

    Messages that a worker holds unacknowledged are not counted: AMQP does not tell them.
    Raises BrokerUnavailable.
    """
    connection = connect_broker(
        broker, patience_seconds=broker.publish_timeout_seconds, heartbeat_seconds=0
    )
    try:
        depths = [_depth(connection, queue, counts=not broker.is_redis) for queue in QueueName]
    except connection.connection_errors as error:
        raise BrokerUnavailable(f"The broker does not answer: {error}") from error
    finally:
        connection.collect()
    return [depth for depth in depths if depth is not None]


def _depth(connection: Connection, queue: QueueName, *, counts: bool) -> QueueDepth | None:
    try:
        with connection.channel() as opened:
            channel: Any = opened
            told = channel.queue_declare(queue=queue.value, passive=True)
    except connection.channel_errors as error:
        if getattr(error, "code", None) == _QUEUE_IS_MISSING:
            return None
        raise BrokerUnavailable(f"The broker does not tell about '{queue}': {error}") from error
    return QueueDepth(
        queue=queue,
        ready=told.message_count,
        consumers=told.consumer_count if counts else None,
    )
