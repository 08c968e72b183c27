"""One AMQP connection with one channel, on the event loop.

    greeting ► start ► tune ► open ► channel.open ► what the channel is for ► ready ► closed
                                                                               ▲ │
                                                               unblocked       └─┘ blocked

It never waits: what the broker does not answer in time is found by `watch`, which its owner calls.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, cast

from amqp.serialization import dumps, loads
from amqp.spec import Channel
from amqp.spec import Connection as Session

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.frames import (
    GREETING,
    HEARTBEAT,
    HEARTBEAT_FRAME,
    METHOD,
    FrameReader,
    method_frame,
)
from shared.queueing.broker_address import BrokerAddress

CHANNEL: Final = 1
METHOD_BYTES: Final = 4
"""Class and method, which come before a method's arguments."""
_FRAME_MAX: Final = 131_072

Answer = Callable[[bytes], None]


class AmqpSession(asyncio.Protocol, ABC):
    """What publishing and consuming have in common; dead for good once it is `closed`.

    Whoever derives from it sets `ready` once its channel is what it is for.
    """

    def __init__(self, address: BrokerAddress, *, heartbeat_seconds: float) -> None:
        self.is_blocked = False
        self.frame_max = _FRAME_MAX
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[BrokerUnavailable] = loop.create_future()
        self._address = address
        self._heartbeat_seconds = heartbeat_seconds
        self._reader = FrameReader()
        self._heard_at = self._spoke_at = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._answers: dict[tuple[int, int], Answer] = {
            Session.Start: self._on_start,
            Session.Tune: self._on_tune,
            Session.OpenOk: lambda _: self._reply(CHANNEL, Channel.Open, "s", ""),
            Channel.OpenOk: lambda _: self._on_channel_open(),
            Session.Blocked: lambda _: self._block(True),
            Session.Unblocked: lambda _: self._block(False),
            Session.Close: self._on_close,
            Channel.Close: self._on_close,
        }

    @property
    def is_open(self) -> bool:
        """Whether it can be used now; `is_blocked` apart."""
        return self.ready.done() and not self.closed.done()

    def watch(self) -> None:
        """Sends a heartbeat when one is due and ends a link whose broker fell silent."""
        now = time.monotonic()
        if now - self._heard_at > 2 * self._heartbeat_seconds > 0:
            self.abort("The broker missed two heartbeats.")
        elif now - self._spoke_at > self._heartbeat_seconds / 2 > 0:
            self._send(HEARTBEAT_FRAME)

    def abort(self, why: str) -> None:
        """Ends the link at once; everybody who waits for it hears `why`."""
        self._end(BrokerUnavailable(why))
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Says goodbye and does not wait for the answer."""
        if self.is_open:
            self._send(method_frame(0, Session.Close, dumps("BsBB", (200, "bye", 0, 0))))
        self._end(BrokerUnavailable("The connection was closed."))
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send(GREETING)

    def data_received(self, data: bytes) -> None:
        self._heard_at = time.monotonic()
        try:
            for kind, _, payload in self._reader.feed(data):
                if kind == METHOD:
                    self._on_method(payload)
                elif kind != HEARTBEAT:
                    self._on_content(kind, payload)
        except BrokerUnavailable as error:
            self.abort(error.message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(BrokerUnavailable(f"The broker closed the connection: {exc or 'no reason'}."))

    @abstractmethod
    def _on_channel_open(self) -> None:
        """Say what the channel is for."""

    @abstractmethod
    def _on_content(self, kind: int, payload: bytes) -> None:
        """A frame of a message has come."""

    def _send(self, frames: bytes) -> None:
        self._spoke_at = time.monotonic()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frames)

    def _end(self, error: BrokerUnavailable) -> None:
        if self.closed.done():
            return
        if not self.ready.done():
            self.ready.set_exception(error)
            self.ready.exception()
        self.closed.set_result(error)

    def _on_method(self, payload: bytes) -> None:
        method = (payload[0] << 8 | payload[1], payload[2] << 8 | payload[3])
        if answer := self._answers.get(method):
            answer(payload)

    def _on_start(self, _: bytes) -> None:
        properties = {
            "product": "forebay",
            "capabilities": {
                "connection.blocked": True,
                "publisher_confirms": True,
                "consumer_cancel_notify": True,
                "authentication_failure_close": True,
            },
        }
        credentials = self._address.credentials
        self._reply(0, Session.StartOk, "FsSs", properties, "PLAIN", credentials, "en_US")

    def _on_tune(self, payload: bytes) -> None:
        (channels, frame_max, heartbeat), _ = loads("BlB", payload, METHOD_BYTES)
        self.frame_max = min(frame_max or _FRAME_MAX, _FRAME_MAX)
        ours = int(self._heartbeat_seconds)
        self._heartbeat_seconds = min(heartbeat or ours, ours)
        tuned = (channels, self.frame_max, int(self._heartbeat_seconds))
        self._reply(0, Session.TuneOk, "BlB", *tuned)
        self._reply(0, Session.Open, "ssb", self._address.virtual_host, "", False)

    def _on_close(self, payload: bytes) -> None:
        (code, text, *_), _ = loads("BsBB", payload, METHOD_BYTES)
        raise BrokerUnavailable(f"The broker ended the connection: {code} {text}.")

    def _block(self, blocked: bool) -> None:
        self.is_blocked = blocked

    def _reply(self, channel: int, method: tuple[int, int], layout: str, *values: object) -> None:
        self._send(method_frame(channel, method, dumps(layout, values)))
