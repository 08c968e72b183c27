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

from amqp.exceptions import NotFound
from kombu import Exchange, Queue

from shared.messages.lane import Lane
from shared.settings.servers import BrokerSettings

EXCHANGE: Final = "forebay"
DEAD_EXCHANGE: Final = "forebay.dead"
UNROUTED_EXCHANGE: Final = "forebay.unrouted"

# A producer was promised nothing yet, so a message must outlive many crashes of its reader, yet not
# crash readers for ever.
INTAKE_DELIVERY_LIMIT: Final = 20

# As good as none, in a word that every RabbitMQ takes for that: 4 drops after 20 deliveries where
# nothing is said, and -1 means "none" to 4 and "at the first return" to 3.
DEAD_DELIVERY_LIMIT: Final = 1_000_000


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


DEAD_ARGUMENTS: Final[dict[str, Any]] = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DEAD_DELIVERY_LIMIT,
}
OLD_DEAD_ARGUMENTS: Final[dict[str, Any]] = {"x-queue-type": "quorum"}
"""Of installations from before the limit was said. Such a queue is never made again: letters lie
in it. What it bears is for `forebay check` to find out."""


class KeptQueue(Queue):
    """A queue that is declared only where there is none; one of other arguments is left as it is.

    Arguments of a queue cannot be changed, and what lies in this one must not be deleted for that.
    """

    def queue_declare(
        self, nowait: bool = False, passive: bool = False, channel: Any | None = None
    ) -> Any:
        if passive:
            return super().queue_declare(nowait=nowait, passive=True, channel=channel)
        own: Any = channel or self.channel
        try:
            # On a channel of its own: a refusal closes it.
            with own.connection.channel() as asking:
                return super().queue_declare(passive=True, channel=asking)
        except NotFound:
            return super().queue_declare(nowait=nowait, channel=channel)


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
        return KeptQueue(
            name.value,
            dead_exchange(),
            routing_key=name.value,
            queue_arguments=DEAD_ARGUMENTS,
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
