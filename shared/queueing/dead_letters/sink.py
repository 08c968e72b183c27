"""Putting a letter onto the queue `dead`."""

from __future__ import annotations

from typing import Final

from shared.queueing.dead_letters.letter import Letter, too_long
from shared.queueing.parcel import Parcel
from shared.queueing.parcels import ParcelPublisher, build_parcel_publisher
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings

LETTER_HEADER: Final = "x-forebay-letter"
REASON_HEADER: Final = "x-forebay-reason"
DETAIL_HEADER: Final = "x-forebay-detail"
QUEUE_HEADER: Final = "x-forebay-queue"
MESSAGE_HEADER: Final = "x-forebay-message"
HEADERS_HEADER: Final = "x-forebay-headers"

_SHORT_DETAIL: Final = 200
"""With which all of them fit the smallest frame there is, of 4 KiB."""


class DeadLetterSink:
    """Belongs to one event loop. Letters that are buried at once share their trips."""

    def __init__(self, parcels: ParcelPublisher) -> None:
        self._parcels = parcels

    async def start(self) -> None:
        """Begins to connect and returns at once."""
        await self._parcels.start()

    async def bury(self, letter: Letter) -> None:
        """Returns when the letter is safe with the broker; twice is once.

        Raises BrokerUnavailable when the broker does not confirm in time.
        """
        # The message's own headers travel as text: a table could not hold all of them, and some,
        # such as its compression, would be taken for the letter's.
        headers = {
            LETTER_HEADER: letter.id,
            REASON_HEADER: letter.reason.value,
            DETAIL_HEADER: letter.detail,
            QUEUE_HEADER: letter.queue,
            MESSAGE_HEADER: letter.message_id,
            HEADERS_HEADER: letter.headers,
        }
        shorter = {
            DETAIL_HEADER: letter.detail[:_SHORT_DETAIL],
            HEADERS_HEADER: too_long(len(letter.headers.encode())),
        }
        await self._parcels.send(
            Parcel(
                queue=QueueName.DEAD.value,
                body=letter.body,
                identifier=letter.id,
                headers=headers,
                shorter_headers=headers | shorter,
                content_type="application/octet-stream",
                content_encoding="binary",
                must_arrive=True,
            )
        )

    async def close(self) -> None:
        """Disconnects."""
        await self._parcels.close()


def build_dead_letter_sink(broker: BrokerSettings) -> DeadLetterSink:
    """The sink for the broker that `broker.url` names."""
    return DeadLetterSink(build_parcel_publisher(broker))
