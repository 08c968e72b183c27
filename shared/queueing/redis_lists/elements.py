"""Elements of Redis lists: fetched many at a time, and made into envelopes for kombu to deliver."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Sequence
from time import time
from typing import Any, Final, NamedTuple
from uuid import uuid4

import msgspec
from kombu.utils.json import dumps, loads
from redis.exceptions import NoScriptError

from shared.queueing.reading.delivery import MALFORMED_HEADER, why_undecodable
from shared.queueing.redis_lists.envelope import delivery_properties
from shared.redis.scripts import load_script

_json = msgspec.json.Encoder()

# kombu decodes once more, by Python's own decoder, which converts marked values and has limits of
# depth and of digits that msgspec does not share.
_UNUSUAL: Final = re.compile(rb"__type__|\\u|[0-9]{300}")
_USUAL_BRACKETS: Final = 100


class Fetched(NamedTuple):
    """An element that has left its list; the record of `tag` is what it comes back from."""

    queue: str
    tag: str
    element: bytes


class Fetching:
    """Fetches what waits behind a message, for kombu's `channel`."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._script = load_script("shared.queueing.redis_lists", "fetch.lua")

    def record_and_fetch(self, message: Any, *, most: int) -> list[Fetched]:
        """Records kombu's `message` as unacknowledged, and up to `most` that wait behind it.

        Those leave their lists in the order in which the channel would have popped them one by
        one; fewer where one waits that cannot be recorded as it is. Popping and recording are one
        step: what is not acknowledged comes again after the visibility timeout. Raises redis-py's
        errors.
        """
        channel = self._channel
        queues = channel._queue_cycle.consume(len(channel.active_queues))
        way = [message.delivery_info["exchange"], message.delivery_info["routing_key"]]
        steps = channel.priority_steps
        lists = [channel._q_for_pri(each, step) for step in steps for each in queues]
        keys = [channel.unacked_key, channel.unacked_index_key, *lists]
        record = dumps([message._raw, *way])
        words = [len(keys), *keys, time(), most, message.delivery_tag, record]
        for queue in queues:
            words += [queue, "," + dumps(["", queue])[1:]]
        return [
            Fetched(queues[place - 1], tag.decode(), element)
            for place, tag, element, _ in self._call(words)
        ]

    def _call(self, words: Sequence[Any]) -> Any:
        """On the connection that answered BRPOP, and once: a second try might fetch twice."""
        try:
            return self._ask("EVALSHA", self._script.sha, *words)
        except NoScriptError:  # of a server that has forgotten it, and has done nothing
            self._ask("SCRIPT LOAD", self._script.source)
            return self._ask("EVALSHA", self._script.sha, *words)

    def _ask(self, command: str, *words: Any) -> Any:
        connection = self._channel.client.connection
        connection.send_command(command, *words)
        return self._channel.client.parse_response(connection, command)


class _DeliveryInfo(msgspec.Struct):
    exchange: str | None = None
    routing_key: str | None = None


class _DeliveryProperties(msgspec.Struct):
    delivery_tag: str | None = None
    delivery_info: _DeliveryInfo | None = None
    body_encoding: str | None = None


class _Envelope(msgspec.Struct):
    body: str
    properties: _DeliveryProperties
    headers: dict[str, msgspec.Raw] | None = None


_decoder = msgspec.json.Decoder(_Envelope)


def sound_envelope(element: bytes, queue: str) -> bytes:
    """`element` if kombu can deliver it and put it back, else an envelope for what it holds.

    The envelope of what cannot be taken apart has the element as its body and one header,
    `x-forebay-malformed`, which says why. Never raises.
    """
    try:
        envelope = _decoder.decode(element)
        _check_body(envelope)
        if _UNUSUAL.search(element) or element.count(b"[") + element.count(b"{") > _USUAL_BRACKETS:
            loads(element)
    except Exception as error:  # noqa: BLE001 - the border of one element: foreign bytes, any codec
        return _wrapped(element, queue, why_undecodable("its envelope", error))
    delivery = envelope.properties.delivery_info
    finds_back = delivery is not None and not delivery.exchange and delivery.routing_key == queue
    if finds_back and envelope.properties.delivery_tag:
        return element
    return _completed(element, queue)


def _check_body(envelope: _Envelope) -> None:
    match envelope.properties.body_encoding:
        case None:
            return
        case "base64":
            a2b_base64(envelope.body)
        case other:
            raise Base64Error(f"unknown body_encoding '{other}'")


def _completed(element: bytes, queue: str) -> bytes:
    """With the delivery tag and the way back that a hand-written envelope lacks."""
    envelope: dict[str, Any] = loads(element)
    properties = envelope["properties"]
    encoding = properties.get("body_encoding")
    properties |= {**delivery_properties(queue), "body_encoding": encoding}
    if not properties.get("delivery_tag"):
        properties["delivery_tag"] = uuid4().hex
    envelope["headers"] = envelope.get("headers") or {}
    return _json.encode(envelope)


def _wrapped(element: bytes, queue: str, why: str) -> bytes:
    return _json.encode(
        {
            "body": b2a_base64(element, newline=False).decode(),
            "content-type": "application/octet-stream",
            "content-encoding": "binary",
            "headers": {MALFORMED_HEADER: why},
            "properties": {**delivery_properties(queue), "delivery_tag": uuid4().hex},
        }
    )
