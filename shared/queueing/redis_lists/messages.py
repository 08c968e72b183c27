"""Elements of Redis lists as messages, and as what is put back."""

from __future__ import annotations

from binascii import a2b_base64
from typing import Any, Final, NamedTuple

import msgspec
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps, loads

from shared.queueing.reading.consumed_message import ConsumedMessage, MessageSource
from shared.queueing.redis_lists.elements import sound_envelope
from shared.queueing.redis_lists.session import Returned, Waiting


class _PlainEnvelope(msgspec.Struct, rename="kebab"):
    body: str
    headers: dict[str, Any]
    properties: dict[str, Any]
    content_type: str | None = None
    content_encoding: str | None = None


_decoder: Final = msgspec.json.Decoder(_PlainEnvelope)


class Restorable(NamedTuple):
    """What kombu would have recorded for an element that is not plain, and its tag."""

    tag: str
    record: str
    element: bytes


def restorable(element: bytes, queue: str) -> Restorable:
    """An envelope for whatever the element is, and what any kombu puts back from it."""
    sound = sound_envelope(element, queue)
    envelope = loads(bytes_to_str(sound))
    tag: str = envelope["properties"]["delivery_tag"]
    return Restorable(tag, dumps([envelope, "", queue]), sound)


def _marked_redelivered(element: bytes, queue: str) -> bytes:
    """The element as kombu puts it back."""
    envelope = loads(bytes_to_str(sound_envelope(element, queue)))
    envelope["headers"]["redelivered"] = True
    envelope["properties"]["delivery_info"]["redelivered"] = True
    text: str = dumps(envelope)
    return text.encode()


def returned_of(tag: str, held: Waiting) -> Returned:
    """The message on its way back to where it came from."""
    return Returned(tag, _marked_redelivered(held.element, held.queue), held.list_name)


def message_of(source: MessageSource, *, tag: str, element: bytes, queue: str) -> ConsumedMessage:
    """The message; of an element that cannot be taken apart one that says so. Never raises."""
    try:
        found = _decoder.decode(element)
        body = _body(found)
    except (msgspec.DecodeError, ValueError, RecursionError):
        envelope = loads(bytes_to_str(sound_envelope(element, queue)))
        found = msgspec.convert(envelope, _PlainEnvelope)
        body = _body(found)
    told = found.properties.get("delivery_info")
    return ConsumedMessage(
        source,
        tag=tag,
        body=body,  # type: ignore[arg-type]  # kombu's text bodies are texts here too
        headers=found.headers,
        properties=found.properties,
        delivery_info={
            "exchange": "",
            "routing_key": queue,
            "redelivered": isinstance(told, dict) and bool(told.get("redelivered")),
        },
        content_type=found.content_type,
        content_encoding=found.content_encoding,
    )


def _body(found: _PlainEnvelope) -> bytes | str:
    match found.properties.get("body_encoding"):
        case None:
            return found.body
        case "base64":
            return a2b_base64(found.body)
        case other:
            raise ValueError(f"unknown body_encoding '{other}'")
