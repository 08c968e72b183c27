"""Unpacking what a producer compressed, never beyond the limit of its reader.

kombu unpacks a body before anybody has looked at its size; here its transports leave the body as it
came (see `amqp/transport.py` and `redis_lists/transport.py`) and each reader unpacks it by this.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from shared.messages.dead_letter import DeadReason
from shared.queueing.reading.verdict import Bury

COMPRESSION_HEADER: Final = "compression"

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


def plain_body(body: bytes, compression: object, *, limit_bytes: int) -> bytes | Bury:
    """The body without its compression, or why there is none; takes `limit_bytes` at most.

    `compression` is the header of that name, whatever it holds; None where there is none.
    """
    if len(body) > limit_bytes:
        return _too_large(f"The body has {len(body)} bytes", limit_bytes)
    if compression is None or compression == "":
        return body
    if not isinstance(compression, str) or compression not in _UNPACKERS:
        known = ", ".join(sorted(name for name in _UNPACKERS if "/" not in name))
        detail = f"The compression {compression!r:.100} is not known here. Send one of {known}."
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
