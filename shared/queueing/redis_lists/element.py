"""One element of a Redis list, made into an envelope that kombu can deliver and put back."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any, Final
from uuid import uuid4

import msgspec
from kombu.utils.json import loads

from shared.queueing.reading.delivery import MALFORMED_HEADER, why_undecodable
from shared.queueing.redis_lists.envelope import delivery_properties

_json = msgspec.json.Encoder()

# kombu decodes once more, by Python's own decoder, which converts marked values and has limits of
# depth and of digits that msgspec does not share.
_UNUSUAL: Final = re.compile(rb"__type__|\\u|[0-9]{300}")
_USUAL_BRACKETS: Final = 100


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
