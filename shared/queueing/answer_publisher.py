"""Sending answers to the queues that producers named."""

from __future__ import annotations

from typing import Protocol

from shared.queueing.answers import Answer
from shared.settings.servers import BrokerSettings


class AnswerPublisher(Protocol):
    """Sends answers, confirmed; belongs to one event loop."""

    async def start(self) -> None:
        """Begins to connect and returns at once."""
        ...

    async def send(self, answer: Answer) -> None:
        """Returns when the broker has it; a queue that does not exist swallows it silently.

        Raises BrokerUnavailable within `publish_timeout_seconds`. Sending twice is harmless.
        """
        ...

    async def close(self) -> None:
        """Disconnects."""
        ...


def build_answer_publisher(broker: BrokerSettings) -> AnswerPublisher:
    """The answer publisher for the broker that `broker.url` names."""
    if broker.is_redis:
        from shared.queueing.redis_lists.answers import RedisAnswerPublisher

        return RedisAnswerPublisher(broker)
    from shared.queueing.amqp.answers import AmqpAnswerPublisher

    return AmqpAnswerPublisher(broker)
