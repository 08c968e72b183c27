"""kombu's Redis transport, hardened against what other programs push onto its lists.

kombu pops an element and then takes it apart; an element that is not what it expects raises in the
reader, after the element is gone, and ends a worker. Here such an element arrives as a message
whose header `x-forebay-malformed` says what is wrong, for the reader to dead-letter.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, Final, cast
from uuid import uuid4

import msgspec
from kombu.transport import redis as kombu_redis
from redis import Redis

from shared.queueing.redis_lists.envelope import delivery_properties

MALFORMED_HEADER: Final = "x-forebay-malformed"

_json = msgspec.json.Encoder()


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
    headers: dict[str, msgspec.Raw] = {}


_decoder = msgspec.json.Decoder(_Envelope)


def sound_envelope(element: bytes, queue: str) -> bytes:
    """`element` if kombu can deliver it and put it back, else an envelope for what it holds."""
    try:
        envelope = _decoder.decode(element)
        _check_body(envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, Base64Error) as error:
        return _wrapped(element, queue, f"not an envelope of kombu: {error}")
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
            raise msgspec.ValidationError(f"unknown body_encoding '{other}'")


def _completed(element: bytes, queue: str) -> bytes:
    """With the delivery tag and the way back that a hand-written envelope lacks."""
    envelope = msgspec.json.decode(element)
    properties = envelope["properties"]
    encoding = properties.get("body_encoding")
    properties |= {**delivery_properties(queue), "body_encoding": encoding}
    properties.setdefault("delivery_tag", uuid4().hex)
    envelope.setdefault("headers", {})
    return _json.encode(envelope)


def _wrapped(element: bytes, queue: str, why: str) -> bytes:
    return _json.encode(
        {
            "body": b2a_base64(element, newline=False).decode(),
            "content-type": "application/octet-stream",
            "content-encoding": "binary",
            "headers": {MALFORMED_HEADER: why[:500]},
            "properties": {**delivery_properties(queue), "delivery_tag": uuid4().hex},
        }
    )


class _GuardedRedis(Redis):
    """Answers BRPOP and RPOP of a queue with a sound envelope, whatever was in the list."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        reply = super().parse_response(  # type: ignore[no-untyped-call]
            connection, command_name, **options
        )
        if command_name == "BRPOP" and reply:
            key, element = reply
            return key, sound_envelope(element, key.decode())
        return reply

    def rpop(self, name: Any, count: int | None = None) -> Any:
        element = super().rpop(name, count)
        return sound_envelope(cast(bytes, element), name) if element and count is None else element


class GuardedChannel(kombu_redis.Channel):  # type: ignore[misc,unused-ignore]
    """kombu's channel on the guarded client."""

    def _get_client(self) -> type[Redis]:
        super()._get_client()  # type: ignore[misc]  # the stubs leave it out
        return _GuardedRedis


class GuardedTransport(kombu_redis.Transport):  # type: ignore[misc,unused-ignore]
    """For `broker_transport` of a Celery app and `transport` of a kombu connection."""

    Channel = GuardedChannel
