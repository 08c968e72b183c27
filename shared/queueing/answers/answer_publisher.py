"""Sending answers to the queues that producers named."""

from __future__ import annotations

from typing import Final

from shared.queueing.answers.answers import QueuedAnswer, may_reply_to
from shared.queueing.parcel import Parcel
from shared.queueing.parcels import ParcelPublisher, build_parcel_publisher
from shared.settings.servers import BrokerSettings

UNREAD_SECONDS: Final = 3600
"""A producer that left must not leave its Redis list behind."""


class AnswerPublisher:
    """Sends answers, confirmed; belongs to one event loop."""

    def __init__(self, broker: BrokerSettings, parcels: ParcelPublisher) -> None:
        self._broker = broker
        self._parcels = parcels

    async def start(self) -> None:
        """Begins to connect and returns at once."""
        await self._parcels.start()

    async def send(self, answer: QueuedAnswer) -> None:
        """Returns when the broker has it; a queue that does not exist swallows it silently.

        Raises BrokerUnavailable within `publish_timeout_seconds`. Sending twice is harmless.
        """
        if may_reply_to(answer.reply_to, self._broker):
            await self._parcels.send(
                Parcel(
                    queue=answer.reply_to,
                    body=answer.body,
                    identifier=answer.correlation_id,
                    unread_seconds=UNREAD_SECONDS,
                )
            )

    async def close(self) -> None:
        """Disconnects."""
        await self._parcels.close()


def build_answer_publisher(broker: BrokerSettings) -> AnswerPublisher:
    """The answer publisher for the broker that `broker.url` names."""
    return AnswerPublisher(broker, build_parcel_publisher(broker))
