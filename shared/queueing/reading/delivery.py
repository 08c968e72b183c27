"""One message as it came off a queue, whatever the broker, and its body in plain bytes.

kombu unpacks a body before anybody has looked at its size; here its transports leave the body as it
came (see `amqp/transport.py` and `redis_lists/transport.py`) and each reader unpacks it by this,
never beyond its own limit.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec
from kombu import Message

from shared.errors import use_one_of
from shared.messages.dead_letter import Bury, DeadReason

COMPRESSION_HEADER: Final = "compression"
MALFORMED_HEADER: Final = "x-forebay-malformed"
"""Stands alone on an element that could not be taken apart, and says why; its body is raw."""

_LONGEST_WHY: Final = 500

_ZLIB_OR_GZIP: Final = 32 + zlib.MAX_WBITS


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


_UNPACKERS: Final[dict[str, Callable[[], _Unpacker]]] = {
    **dict.fromkeys(
        ("application/x-gzip", "gzip", "zlib"), lambda: zlib.decompressobj(_ZLIB_OR_GZIP)
    ),
    **dict.fromkeys(("application/x-bz2", "bzip2", "bzip"), bz2.BZ2Decompressor),
    **dict.fromkeys(("application/x-lzma", "lzma", "xz"), lzma.LZMADecompressor),
}
_BROKEN: Final = (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError)


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
        return _contents(self.headers, self.body, self.compression, limit_bytes=limit_bytes)


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


def contents_of(message: Message, *, limit_bytes: int) -> bytes | Bury:
    """What `delivery_of(message).contents` gives, at a part of the cost."""
    compression = getattr(message, COMPRESSION_HEADER, None)
    body, headers = _bytes(message.body), _table(message.headers)
    return _contents(headers, body, compression, limit_bytes=limit_bytes)


def undecodable(message: Message, error: Exception) -> Delivery:
    """What kombu could not decode, with its body as it came."""
    found, why = delivery_of(message), why_undecodable("it", error)
    return msgspec.structs.replace(found, headers={**found.headers, MALFORMED_HEADER: why})


def why_undecodable(what: str, error: Exception) -> str:
    """Why `what` of an element is not known: a sentence that fits a header, whatever the bytes."""
    why = f"{what} cannot be decoded: {type(error).__name__}: {error}"
    return why[:_LONGEST_WHY].encode(errors="replace").decode()


def malformed(headers: Mapping[str, object]) -> Bury | None:
    """The verdict on an element that could not be taken apart; None for all others."""
    why = headers.get(MALFORMED_HEADER)
    return Bury(DeadReason.MALFORMED, str(why)) if why else None


def _bytes(body: object) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="surrogatepass")
    return bytes(body) if isinstance(body, bytes | bytearray | memoryview) else b""


def _table(headers: object) -> dict[str, Any]:
    return headers if isinstance(headers, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _contents(
    headers: dict[str, Any], body: bytes, compression: object, *, limit_bytes: int
) -> bytes | Bury:
    if verdict := malformed(headers):
        return verdict
    return _plain_body(body, compression, limit_bytes=limit_bytes)


def _plain_body(body: bytes, compression: object, *, limit_bytes: int) -> bytes | Bury:
    """The body without its compression, or why there is none; takes `limit_bytes` at most.

    `compression` is the header of that name, whatever it holds; None where there is none.
    """
    if len(body) > limit_bytes:
        return _too_large(f"The body has {len(body)} bytes", limit_bytes)
    if compression is None or compression == "":
        return body
    if not isinstance(compression, str) or compression not in _UNPACKERS:
        known = use_one_of(sorted(name for name in _UNPACKERS if "/" not in name))
        detail = f"The compression {compression!r:.100} is not known here. {known}."
        return Bury(DeadReason.MALFORMED, detail)
    unpacker = _UNPACKERS[compression]()
    try:
        plain = unpacker.decompress(body, limit_bytes + 1)
    except _BROKEN as error:
        return Bury(DeadReason.MALFORMED, f"The body is not {compression}: {error}.")
    if len(plain) > limit_bytes:
        return _too_large("Unpacked the body has more bytes than the limit", limit_bytes)
    if not unpacker.eof:
        return Bury(DeadReason.MALFORMED, f"The body ends in the middle of its {compression}.")
    return plain


def _too_large(what: str, limit_bytes: int) -> Bury:
    return Bury(DeadReason.TOO_LARGE, f"{what}, the limit is {limit_bytes}. Send less.")
