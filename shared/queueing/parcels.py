"""Sending parcels: answers and dead letters."""

from __future__ import annotations

from typing import Protocol

from shared.queueing.parcel import Parcel
from shared.settings.servers import BrokerSettings


class ParcelPublisher(Protocol):
    """Sends parcels, confirmed and in company; belongs to one event loop."""

    async def start(self) -> None:
        """Begins to connect and returns at once."""
        ...

    async def send(self, parcel: Parcel) -> None:
        """Returns when the broker has it. Sending twice must be harmless.

        Raises BrokerUnavailable within `publish_timeout_seconds`.
        """
        ...

    async def close(self) -> None:
        """Disconnects."""
        ...


def build_parcel_publisher(broker: BrokerSettings) -> ParcelPublisher:
    """The parcel publisher for the broker that `broker.url` names."""
    if broker.is_redis:
        from shared.queueing.redis_lists.parcels import RedisParcelPublisher

        return RedisParcelPublisher(broker)
    from shared.queueing.amqp.parcels import AmqpParcelPublisher

    return AmqpParcelPublisher(broker)
