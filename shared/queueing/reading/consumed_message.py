"""A message that the event loop has taken from a queue, in kombu's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
from kombu import Message

from shared.queueing.reading.delivery import COMPRESSION_HEADER

_UNUSUAL: Final = (b"__type__", b"\\u")
"""What kombu's decoder of JSON reads otherwise than msgspec's: marked values, and halves of
surrogate pairs."""
_JSON: Final = "application/json"
_decoder: Final = msgspec.json.Decoder()


class MessageSource(Protocol):
    """Where a message came from, and goes back to; kombu calls it a channel."""

    no_ack_consumers: None
    has_dead_letters: bool
    """Whether what is given away lands somewhere."""

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:
        """Settle it; on a lost connection nothing happens, it comes again."""

    def basic_reject(self, delivery_tag: Any, requeue: bool) -> None:
        """Give it back, or away; the same."""


class ConsumedMessage(Message):
    """Its body stays compressed until its reader unpacks it within a limit."""

    compression: Any

    def __init__(
        self,
        source: MessageSource,
        *,
        tag: Any,
        body: bytes,
        headers: dict[str, Any],
        properties: Mapping[str, Any],
        delivery_info: dict[str, Any],
        content_type: str | None,
        content_encoding: str | None,
    ) -> None:
        packed = headers.pop(COMPRESSION_HEADER, None)
        super().__init__(
            body=body,  # type: ignore[arg-type]  # the stubs know text only
            delivery_tag=tag,
            content_type=content_type,
            content_encoding=content_encoding,
            delivery_info=delivery_info,
            properties=properties,
            headers=headers,
            accept={_JSON},
            channel=source,
        )
        self.compression = packed

    def _decode(self) -> Any:
        body: Any = self.body
        if self._is_usual(body):
            try:
                return _decoder.decode(body)
            except (msgspec.DecodeError, RecursionError):
                pass  # kombu takes more, and says what it does not take
        return super()._decode()

    def _is_usual(self, body: object) -> bool:
        if self.content_type != _JSON or self.content_encoding != "utf-8":
            return False
        return isinstance(body, bytes) and not any(mark in body for mark in _UNUSUAL)
