"""Parcels over RabbitMQ: straight to the queue, through the default exchange."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.frames import Properties, body_frames, header_frame, publish_frame
from shared.queueing.amqp.keeper import LinkKeeper
from shared.queueing.amqp.link import AmqpLink
from shared.queueing.amqp.session import CHANNEL
from shared.queueing.backlog import Confirmation
from shared.queueing.parcel import Parcel
from shared.settings.servers import BrokerSettings

_DEFAULT_EXCHANGE = ""


class AmqpParcelPublisher:
    """See `ParcelPublisher`."""

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._progress = asyncio.Event()
        self._keeper = LinkKeeper(
            broker, on_progress=lambda _: self._progress.set(), on_lost=_nobody_else
        )

    async def start(self) -> None:
        self._keeper.start()

    async def send(self, parcel: Parcel) -> None:
        link = await self._usable_link()
        frames = (
            publish_frame(CHANNEL, _DEFAULT_EXCHANGE, parcel.queue, mandatory=parcel.must_arrive),
            _fitting_header(parcel, frame_max=link.frame_max),
            body_frames(CHANNEL, parcel.body, frame_max=link.frame_max),
        )
        confirmation = Confirmation([parcel.identifier])
        link.write(b"".join(frames), [[confirmation]])
        await confirmation.wait(self._broker.publish_timeout_seconds)

    async def _usable_link(self) -> AmqpLink:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._broker.publish_timeout_seconds):
                while (link := self._keeper.usable_link) is None:
                    self._progress.clear()
                    await self._progress.wait()
                return link
        raise BrokerUnavailable("The broker is away; the message was not sent.")

    async def close(self) -> None:
        await self._keeper.close()


def _fitting_header(parcel: Parcel, *, frame_max: int) -> bytes:
    """A frame that is larger ends the connection, for this parcel each time it is tried."""
    header = _header(parcel, parcel.headers)
    if len(header) <= frame_max or not parcel.shorter_headers:
        return header
    return _header(parcel, parcel.shorter_headers)


def _header(parcel: Parcel, headers: Mapping[str, Any]) -> bytes:
    properties = Properties(
        correlation_id=parcel.identifier,
        headers=headers,
        content_type=parcel.content_type,
        content_encoding=parcel.content_encoding,
    )
    return header_frame(CHANNEL, properties, len(parcel.body))


def _nobody_else(_: int) -> None:
    """Whoever sends waits for the confirm, so there is nobody else to tell."""
