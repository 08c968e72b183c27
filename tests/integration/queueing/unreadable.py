"""Elements that a broker delivers and that its client libraries cannot take apart."""

from __future__ import annotations

import json
import zlib
from typing import Any

import amqp
from amqp.serialization import dumps
from kombu import Connection

from shared.messages.dead_letter import DeadReason
from shared.settings.servers import BrokerSettings
from tests.integration.queueing.queue_contents import push_raw, put

BODY = json.dumps({"input": "Hello"})
DEEP = 1500
"""Deeper than Python recurses."""

Reasons = list[DeadReason]


class _WithProperties(amqp.Message):  # type: ignore[misc,unused-ignore]
    """A message whose properties are these bytes."""

    def __init__(self, body: str, properties: bytes) -> None:
        super().__init__(body)
        self._bytes = properties

    def _serialize_properties(self) -> bytes:
        return self._bytes


def put_unreadable(broker: BrokerSettings, queue: str) -> Reasons:
    """Puts one of each kind onto the queue; with what reasons they are to be buried."""
    put(broker, queue, BODY, headers={"compression": "gzip"})
    put(broker, queue, BODY, headers={"compression": "magic"})
    if broker.is_redis:
        marked = _marked_envelope()
        escaped = marked.replace(b"__type__", b"\\u005f_type__")
        elements = [_deep_envelope(), marked, escaped, _endless_number(), b"\xff\xfe"]
        for element in elements:
            push_raw(broker, queue, element)
        return [DeadReason.MALFORMED] * (2 + len(elements))
    with Connection(str(broker.url)) as connection, connection.channel() as channel:
        unreadable = ((BODY, _late_time()), (BODY, _deep_table()), ("", _late_time()))
        for body, table in unreadable:
            raw = _WithProperties(body, b"\x20\x00" + table)
            channel.basic_publish(raw, exchange="", routing_key=queue)
    return [DeadReason.MALFORMED] * (2 + len(unreadable))


def put_swollen(broker: BrokerSettings, queue: str, *, megabytes: int) -> int:
    """A body that is small on its way and large when it is unpacked; its size on the way."""
    packed = zlib.compress(b"\0" * (megabytes << 20), 9)
    put(broker, queue, packed, headers={"compression": "zlib"}, content_type="application/data")
    return len(packed)


def _late_time() -> bytes:
    """A table with a time that no Python date can be."""
    entry = b"\x04whenT" + (2**62).to_bytes(8, "big")
    return len(entry).to_bytes(4, "big") + entry


def _deep_table() -> bytes:
    table: bytes = dumps("F", ({},))
    for _ in range(DEEP):
        entry = b"\x01aF" + table
        table = len(entry).to_bytes(4, "big") + entry
    return table


def _envelope(**headers: Any) -> bytes:
    properties = {"delivery_tag": "t", "body_encoding": None}
    return json.dumps({"body": BODY, "headers": headers, "properties": properties}).encode()


def _deep_envelope() -> bytes:
    return _envelope(deep="@").replace(b'"@"', b"[" * DEEP + b"]" * DEEP)


def _marked_envelope() -> bytes:
    return _envelope(when={"__type__": "datetime", "__value__": "soon"})


def _endless_number() -> bytes:
    return _envelope(number="@").replace(b'"@"', b"9" * 5000)
