"""Publishing wake-ups: the one way from the ledger to the broker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.messages.lane import WakeUp
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics


class Publisher(Protocol):
    """Publishes in groups, with confirms; survives every restart of its broker.

    It belongs to one event loop. What is lost here is harmless: the reconciler finds accepted
    messages that nobody claimed and publishes them again.
    """

    @property
    def healthy(self) -> bool:
        """Whether a message handed in now would go out now."""
        ...

    async def start(self) -> None:
        """Begins to connect and returns at once; a broker that is away is tried again."""
        ...

    def submit(self, wake_up: WakeUp) -> None:
        """Fire and forget: never waits, never raises. What does not fit or fails is dropped."""
        ...

    async def publish(self, wake_ups: Sequence[WakeUp], *, alone: bool = False) -> None:
        """Returns when the broker has confirmed every one of them.

        With `alone` each is a message of its own, which a worker that knows no bundles runs too.
        Raises BrokerUnavailable within `publish_timeout_seconds`; some may have been published.
        """
        ...

    async def close(self) -> None:
        """Sends what waits, for at most `publish_timeout_seconds`, then disconnects."""
        ...


def build_publisher(broker: BrokerSettings, metrics: Metrics) -> Publisher:
    """The publisher for the broker that `broker.url` names."""
    if broker.is_redis:
        from shared.queueing.redis_lists.publisher import RedisPublisher

        return RedisPublisher(broker, metrics)
    from shared.queueing.amqp.publisher import AmqpPublisher

    return AmqpPublisher(broker, metrics)
