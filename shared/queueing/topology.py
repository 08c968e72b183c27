"""Queues and exchanges: what there is, and declaring it.

                        ┌── intake · agent.interactive · agent.standard · agent.batch
    forebay (topic) ────┤   index · maintenance
      │ no such queue   └──────────────┬───────────────────────────────────────────
      ▼                                │ rejected, or delivered too often
    forebay.unrouted (fanout) ──► dead ◄── forebay.dead (fanout)

On Redis a queue is a list of its name and there is nothing to declare.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from kombu import Exchange, Queue

from shared.messages.lane import Lane
from shared.settings.servers import BrokerSettings

EXCHANGE: Final = "forebay"
DEAD_EXCHANGE: Final = "forebay.dead"
UNROUTED_EXCHANGE: Final = "forebay.unrouted"

# A producer was promised nothing yet, so a message must outlive many crashes of its reader, yet not
# crash readers for ever.
INTAKE_DELIVERY_LIMIT: Final = 20


class QueueName(StrEnum):
    """Every queue; on RabbitMQ its routing key is its name."""

    INTAKE = "intake"
    INTERACTIVE = "agent.interactive"
    STANDARD = "agent.standard"
    BATCH = "agent.batch"
    INDEX = "index"
    MAINTENANCE = "maintenance"
    DEAD = "dead"


AGENT_QUEUES: Final = (QueueName.INTERACTIVE, QueueName.STANDARD, QueueName.BATCH)

_QUEUE_OF_LANE: Final[dict[Lane, QueueName]] = {
    Lane.INTERACTIVE: QueueName.INTERACTIVE,
    Lane.STANDARD: QueueName.STANDARD,
    Lane.BATCH: QueueName.BATCH,
}


def lane_queue(lane: Lane) -> QueueName:
    """The queue whose workers answer messages of `lane`."""
    return _QUEUE_OF_LANE[lane]


def kombu_queues(broker: BrokerSettings) -> list[Queue]:
    """Every queue as kombu and Celery declare and consume it, the same arguments everywhere."""
    return [kombu_queue(name, broker) for name in QueueName]


def kombu_queue(name: QueueName, broker: BrokerSettings) -> Queue:
    """One queue as kombu and Celery declare and consume it."""
    if broker.is_redis:
        # The default exchange needs no binding table, which a flushed Redis would have lost.
        return Queue(name.value, Exchange(""), routing_key=name.value)
    if name is QueueName.DEAD:
        return Queue(
            name.value,
            dead_exchange(),
            routing_key=name.value,
            queue_arguments={"x-queue-type": "quorum"},
        )
    return Queue(
        name.value,
        main_exchange(),
        routing_key=name.value,
        queue_arguments=_arguments(name, broker),
    )


def main_exchange() -> Exchange:
    """Where everything is published; what no queue takes goes to `forebay.unrouted`."""
    return Exchange(EXCHANGE, "topic", arguments={"alternate-exchange": UNROUTED_EXCHANGE})


def dead_exchange() -> Exchange:
    """Where queues put what was rejected or delivered too often."""
    return Exchange(DEAD_EXCHANGE, "fanout")


def unrouted_exchange() -> Exchange:
    """Where RabbitMQ puts what fits no queue; without it such a publish is confirmed and gone."""
    return Exchange(UNROUTED_EXCHANGE, "fanout")


def _arguments(name: QueueName, broker: BrokerSettings) -> dict[str, Any]:
    limit = INTAKE_DELIVERY_LIMIT if name is QueueName.INTAKE else broker.delivery_limit
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": limit,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        # At-least-once dead lettering is refused unless a full queue rejects publishes.
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
