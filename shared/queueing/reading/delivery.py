"""One message as it came off a queue, whatever the broker."""

from __future__ import annotations

from typing import Any

import msgspec
from kombu import Message

from shared.messages.dead_letter import DeadReason


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing in it has been checked: a producer may have put anything there.

    An absent text is empty. `exchange` is where it was published first, as the broker tells it.
    """

    body: bytes
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


class Bury(msgspec.Struct, frozen=True):
    """The verdict that a delivery belongs among the dead letters, and why."""

    reason: DeadReason
    detail: str


def delivery_of(message: Message) -> Delivery:
    """Copies what is needed, so that the message itself stays with the thread that acknowledges."""
    properties = message.properties or {}
    return Delivery(
        body=_bytes(message.body),
        headers=_table(message.headers),
        content_type=_text(message.content_type),
        correlation_id=_text(properties.get("correlation_id")),
        reply_to=_text(properties.get("reply_to")),
        message_id=_text(properties.get("message_id")),
        exchange=_text((message.delivery_info or {}).get("exchange")),
    )


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="surrogatepass")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _table(headers: object) -> dict[str, Any]:
    return headers if isinstance(headers, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
