"""One message as it came off a queue, whatever the broker."""

from __future__ import annotations

from typing import Any

import msgspec
from kombu import Message

from shared.messages.dead_letter import DeadReason
from shared.queueing.reading.compression import COMPRESSION_HEADER, plain_body
from shared.queueing.reading.verdict import MALFORMED_HEADER, Bury


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing in it has been checked: a producer may have put anything there.

    An absent text is empty. `exchange` is where it was published first, as the broker tells it;
    `tag` is what stays the same when Redis delivers it again. The body is as it came, and
    `compression` what its producer says was done to it: see `contents`.
    """

    body: bytes
    compression: Any = None
    tag: str = ""
    headers: dict[str, Any]
    content_type: str = ""
    correlation_id: str = ""
    reply_to: str = ""
    message_id: str = ""
    exchange: str = ""

    @property
    def own_id(self) -> str:
        """What its producer calls it: message id, task id or correlation id; may be empty."""
        return self.message_id or _text(self.headers.get("id")) or self.correlation_id

    def contents(self, *, limit_bytes: int) -> bytes | Bury:
        """The body in plain bytes, at most so many, or why it cannot be read."""
        if complaint := self.headers.get(MALFORMED_HEADER):
            return Bury(DeadReason.MALFORMED, str(complaint))
        return plain_body(self.body, self.compression, limit_bytes=limit_bytes)


def delivery_of(message: Message) -> Delivery:
    """Copies what is needed, so that the message itself stays with the thread that acknowledges."""
    properties = message.properties or {}
    return Delivery(
        body=_bytes(message.body),
        compression=getattr(message, COMPRESSION_HEADER, None),
        tag=_text(message.delivery_tag),
        headers=_table(message.headers),
        content_type=_text(message.content_type),
        correlation_id=_text(properties.get("correlation_id")),
        reply_to=_text(properties.get("reply_to")),
        message_id=_text(properties.get("message_id")),
        exchange=_text((message.delivery_info or {}).get("exchange")),
    )


def undecodable(message: Message, error: Exception) -> Delivery:
    """What kombu could not decode, with its body as it came."""
    why = f"it cannot be decoded: {type(error).__name__}: {error}"
    found = delivery_of(message)
    return msgspec.structs.replace(found, headers={**found.headers, MALFORMED_HEADER: why[:500]})


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="surrogatepass")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _table(headers: object) -> dict[str, Any]:
    return headers if isinstance(headers, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
