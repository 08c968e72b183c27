"""A channel that consumes; what is settled in one turn of the loop shares a write."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final, NamedTuple

from amqp.serialization import loads
from amqp.spec import Basic, Queue
from kombu import Message

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.frames import BODY, END, HEADER, METHOD
from shared.queueing.amqp.properties import ContentHeaderReader, body_size
from shared.queueing.amqp.session import CHANNEL, METHOD_BYTES, AmqpSession
from shared.queueing.broker_address import BrokerAddress
from shared.queueing.reading.consumed_message import ConsumedMessage
from shared.telemetry.logs import get_logger

_SETTLEMENT: Final = Struct(">BHIHHQB")
"""A method frame whose arguments are a delivery tag and one bit, without its end."""
_SETTLEMENT_BYTES: Final = 13
_TAG_BYTES: Final = 8
_NO_TAG: Final = 2**64
"""Above every delivery tag."""

Arguments = Mapping[str, Any] | None
"""What a consumer says besides its queue."""
_NOT_READ: Final[Arguments] = {"": ""}


class _Way(NamedTuple):
    exchange: str
    routing_key: str


class _Delivered(NamedTuple):
    tag: int
    consumer: str
    is_redelivered: bool
    way: _Way


class ConsumingLink(AmqpSession):
    """Hands every message to `on_message` as it comes; dead for good once it is `closed`.

    It is the source of its messages: what they settle is written at the end of the loop's turn, or
    with `close`. A queue that the broker cancels ends the link. Queues are their own consumer tags.
    """

    no_ack_consumers = None
    has_dead_letters = True

    def __init__(
        self,
        address: BrokerAddress,
        *,
        heartbeat_seconds: float,
        prefetch: int,
        queues: Mapping[str, Arguments],
        on_message: Callable[[Message], None],
    ) -> None:
        super().__init__(address, heartbeat_seconds=heartbeat_seconds)
        self._queues = dict(queues)
        self._prefetch = prefetch
        self._on_message = on_message
        self._headers = ContentHeaderReader()
        self._ways: dict[bytes, _Way] = {}
        self._unsettled: dict[int, None] = {}  # in the order in which they came
        self._counted: deque[asyncio.Future[tuple[int, int]]] = deque()
        self._acknowledged: list[int] = []
        self._settled: list[bytes] = []
        self._delivered: _Delivered | None = None
        self._header = b""
        self._pieces: list[bytes] = []
        self._missing_bytes = 0
        self._answers[Basic.QosOk] = lambda _: self._on_qos()
        self._answers[Basic.Deliver] = self._on_deliver
        self._answers[Basic.Cancel] = self._on_cancel
        self._answers[Queue.DeclareOk] = self._on_count

    def consume(self, queue: str, arguments: Arguments = None) -> None:
        """Read this queue too."""
        is_new = queue not in self._queues
        self._queues[queue] = arguments
        if is_new and self.is_open:
            self._begin(queue)

    def cancel(self, queue: str) -> None:
        """Read it no longer; what was delivered stays delivered."""
        if self._queues.pop(queue, _NOT_READ) is not _NOT_READ and self.is_open:
            self._reply(CHANNEL, Basic.Cancel, "sb", queue, False)

    def set_prefetch(self, count: int) -> None:
        """For all queues anew: a consumer keeps the prefetch that it began with."""
        self._prefetch = count
        if self.is_open:
            self._reply(CHANNEL, Basic.Qos, "lBb", 0, count, False)
            for queue in self._queues:
                self._reply(CHANNEL, Basic.Cancel, "sb", queue, False)
                self._begin(queue)

    async def look_at(self, queue: str) -> tuple[int, int]:
        """How many messages wait in a queue that there is, and how many consumers it has.

        Never returns on a link that ends.
        """
        counted: asyncio.Future[tuple[int, int]] = asyncio.get_running_loop().create_future()
        self._counted.append(counted)
        self._reply(CHANNEL, Queue.Declare, "BsbbbbbF", 0, queue, True, *[False] * 4, {})
        return await counted

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:  # noqa: ARG002
        if self._settles(delivery_tag):
            self._acknowledged.append(delivery_tag)

    def basic_reject(self, delivery_tag: Any, requeue: bool) -> None:
        if self._settles(delivery_tag):
            self._settled.append(_settlement(Basic.Reject, delivery_tag, requeue))

    def close(self) -> None:
        self._write_settlements()
        super().close()

    def _settles(self, tag: int) -> bool:
        """Whether this is the end of that delivery; it is written at the end of the loop's turn."""
        if not self.is_open:
            get_logger(__name__).info("a message's connection is lost; it is delivered again")
            return False
        if tag not in self._unsettled:
            return False
        del self._unsettled[tag]
        if not self._acknowledged and not self._settled:
            asyncio.get_running_loop().call_soon(self._write_settlements)
        return True

    def _write_settlements(self) -> None:
        settled, self._settled = self._settled, []
        acknowledged, self._acknowledged = sorted(self._acknowledged), []
        # One acknowledgement settles all that came before the oldest that is in hand.
        oldest = next(iter(self._unsettled), _NO_TAG)
        together = bisect_left(acknowledged, oldest)
        if together:
            settled.append(_settlement(Basic.Ack, acknowledged[together - 1], True))
        settled += [_settlement(Basic.Ack, tag, False) for tag in acknowledged[together:]]
        if settled and self.is_open:
            self._send(END.join(settled) + END)

    def _on_channel_open(self) -> None:
        self._reply(CHANNEL, Basic.Qos, "lBb", 0, self._prefetch, False)

    def _on_qos(self) -> None:
        if not self.ready.done():
            self.ready.set_result(None)
            for queue in self._queues:
                self._begin(queue)

    def _begin(self, queue: str) -> None:
        words = (0, queue, queue, False, False, False, False, dict(self._queues[queue] or {}))
        self._reply(CHANNEL, Basic.Consume, "BssbbbbF", *words)

    def _on_cancel(self, payload: bytes) -> None:
        (queue, *_), _ = loads("sb", payload, METHOD_BYTES)
        raise BrokerUnavailable(f"The broker no longer lets {queue} be consumed.")

    def _on_count(self, payload: bytes) -> None:
        (_, waiting, readers), _ = loads("sll", payload, METHOD_BYTES)
        counted = self._counted.popleft()
        if not counted.done():
            counted.set_result((waiting, readers))

    def _on_deliver(self, payload: bytes) -> None:
        at = METHOD_BYTES + 1 + payload[METHOD_BYTES]
        way = payload[at + _TAG_BYTES + 1 :]
        self._delivered = _Delivered(
            tag=int.from_bytes(payload[at : at + _TAG_BYTES], "big"),
            consumer=payload[METHOD_BYTES + 1 : at].decode(errors="replace"),
            is_redelivered=bool(payload[at + _TAG_BYTES]),
            way=self._ways.get(way) or self._learn_way(way),
        )

    def _learn_way(self, way: bytes) -> _Way:
        (exchange, routing_key), _ = loads("ss", way, 0)
        if len(self._ways) > 1000:  # a topic exchange may have any number of keys
            self._ways.clear()
        return self._ways.setdefault(way, _Way(exchange, routing_key))

    def _on_content(self, kind: int, payload: bytes) -> None:
        if self._delivered is None:
            return
        if kind == HEADER:
            self._header, self._pieces = payload, []
            self._missing_bytes = body_size(payload)
        elif kind == BODY:
            self._pieces.append(payload)
            self._missing_bytes -= len(payload)
        if self._missing_bytes <= 0:
            self._hand_on(self._delivered)

    def _hand_on(self, delivered: _Delivered) -> None:
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        properties, headers = self._headers.read(self._header)
        self._delivered, self._header, self._pieces = None, b"", []
        self._unsettled[delivered.tag] = None
        self._on_message(
            ConsumedMessage(
                self,
                tag=delivered.tag,
                body=body,
                headers=headers,
                properties=properties,
                delivery_info={
                    "consumer_tag": delivered.consumer,
                    "delivery_tag": delivered.tag,
                    "redelivered": delivered.is_redelivered,
                    "exchange": delivered.way.exchange,
                    "routing_key": delivered.way.routing_key,
                },
                content_type=properties.get("content_type"),
                content_encoding=properties.get("content_encoding"),
            )
        )


def _settlement(method: tuple[int, int], tag: int, bit: bool) -> bytes:
    return _SETTLEMENT.pack(METHOD, CHANNEL, _SETTLEMENT_BYTES, *method, tag, bit)
