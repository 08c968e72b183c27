"""One AMQP connection with one confirming channel, on the event loop.

    greeting ► start ► tune ► open ► channel.open ► confirm.select ► ready ► closed
                                                                      ▲ │
                                                      unblocked       └─┘ blocked (memory alarm)

It never waits: what the broker does not answer in time is found by `watch`, which its owner calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, cast

from amqp.serialization import dumps, loads
from amqp.spec import Basic, Channel, Confirm
from amqp.spec import Connection as Session

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.confirms import ConfirmWindow
from shared.queueing.amqp.frames import (
    GREETING,
    HEADER,
    HEARTBEAT,
    HEARTBEAT_FRAME,
    METHOD,
    FrameReader,
    method_frame,
    returned_correlation_id,
)
from shared.queueing.backlog import Confirmation
from shared.queueing.broker_address import BrokerAddress

Progress = Callable[[Sequence[float]], None]

CHANNEL: Final = 1
_FRAME_MAX: Final = 131_072
_METHOD_SIZE: Final = 4


class AmqpLink(asyncio.Protocol):
    """Writes groups of messages and counts their confirms; dead for good once it is `closed`.

    `on_progress` is called after every read and at the end, with the seconds that each group took
    whose last confirm has come.
    """

    def __init__(
        self, address: BrokerAddress, *, heartbeat_seconds: float, on_progress: Progress
    ) -> None:
        self.window = ConfirmWindow()
        self.is_blocked = False
        self.frame_max = _FRAME_MAX
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[BrokerUnavailable] = loop.create_future()
        self._address = address
        self._heartbeat_seconds = heartbeat_seconds
        self._on_progress = on_progress
        self._reader = FrameReader()
        self._heard_at = self._spoke_at = time.monotonic()
        self._transport: asyncio.Transport | None = None
        self._answers = self._answer_table()

    @property
    def is_open(self) -> bool:
        """Whether groups may be written now; `is_blocked` apart."""
        return self.ready.done() and not self.closed.done()

    def write(self, frames: bytes, confirmations: Sequence[Confirmation | None]) -> None:
        """Hands one group to the socket; each message has its place in `confirmations`."""
        self._send(frames)
        self.window.sent(confirmations, at=self._spoke_at)

    def watch(self, *, patience_seconds: float) -> None:
        """Sends a heartbeat when one is due and ends a link whose broker fell silent."""
        now = time.monotonic()
        oldest = None if self.is_blocked else self.window.oldest_sent_at()
        if oldest is not None and now - oldest > patience_seconds:
            self.abort("The broker did not confirm in time.")
        elif now - self._heard_at > 2 * self._heartbeat_seconds:
            self.abort("The broker missed two heartbeats.")
        elif now - self._spoke_at > self._heartbeat_seconds / 2:
            self._send(HEARTBEAT_FRAME)

    def abort(self, why: str) -> None:
        """Ends the link at once; everybody who waits for a confirm hears `why`."""
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
                    self._method(payload)
                elif kind == HEADER:
                    self.window.returned(returned_correlation_id(payload))
                elif kind == HEARTBEAT:
                    continue
        except BrokerUnavailable as error:
            self.abort(error.message)
        self._on_progress(self.window.completed(at=self._heard_at))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(BrokerUnavailable(f"The broker closed the connection: {exc or 'no reason'}."))

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
        self._on_progress([])

    def _method(self, payload: bytes) -> None:
        method = (payload[0] << 8 | payload[1], payload[2] << 8 | payload[3])
        if method in (Basic.Ack, Basic.Nack):
            tag = int.from_bytes(payload[4:12], "big")
            multiple = bool(payload[12] & 1)
            self.window.settle(tag, multiple=multiple, refused=method == Basic.Nack)
        elif answer := self._answers.get(method):
            answer(payload)

    def _answer_table(self) -> dict[tuple[int, int], Callable[[bytes], None]]:
        return {
            Session.Start: self._on_start,
            Session.Tune: self._on_tune,
            Session.OpenOk: lambda _: self._reply(CHANNEL, Channel.Open, "s", ""),
            Channel.OpenOk: lambda _: self._reply(CHANNEL, Confirm.Select, "b", False),
            Confirm.SelectOk: lambda _: self.ready.set_result(None),
            Session.Blocked: lambda _: self._block(True),
            Session.Unblocked: lambda _: self._block(False),
            Session.Close: self._on_close,
            Channel.Close: self._on_close,
        }

    def _on_start(self, _: bytes) -> None:
        properties = {
            "product": "forebay",
            "capabilities": {
                "connection.blocked": True,
                "publisher_confirms": True,
                "authentication_failure_close": True,
            },
        }
        credentials = self._address.credentials
        self._reply(0, Session.StartOk, "FsSs", properties, "PLAIN", credentials, "en_US")

    def _on_tune(self, payload: bytes) -> None:
        (channels, frame_max, heartbeat), _ = loads("BlB", payload, _METHOD_SIZE)
        self.frame_max = min(frame_max or _FRAME_MAX, _FRAME_MAX)
        ours = int(self._heartbeat_seconds)
        self._heartbeat_seconds = min(heartbeat or ours, ours)
        tuned = (channels, self.frame_max, int(self._heartbeat_seconds))
        self._reply(0, Session.TuneOk, "BlB", *tuned)
        self._reply(0, Session.Open, "ssb", self._address.virtual_host, "", False)

    def _on_close(self, payload: bytes) -> None:
        (code, text, *_), _ = loads("BsBB", payload, _METHOD_SIZE)
        raise BrokerUnavailable(f"The broker ended the connection: {code} {text}.")

    def _block(self, blocked: bool) -> None:
        self.is_blocked = blocked

    def _reply(self, channel: int, method: tuple[int, int], layout: str, *values: object) -> None:
        self._send(method_frame(channel, method, dumps(layout, values)))
