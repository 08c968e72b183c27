"""Answers that are packed although nobody asked for it."""

from __future__ import annotations

import zlib
from typing import Final

_PIECE_BYTES: Final = 65_536
_READABLE: Final = frozenset({"gzip", "deflate"})
PACKED: Final = _READABLE | {"br", "zstd"}
"""What a server may have done to a body, by the header's word for it."""


class Unpacking:
    """Unpacks a body in pieces of 64 KiB at the most: a small one may hold a large one.

    Raises `ValueError` for an encoding, and for bytes, that cannot be read.
    """

    def __init__(self, encoding: str) -> None:
        if encoding not in _READABLE:
            raise ValueError(f"it is packed as {encoding}, which nobody asked for")
        self._encoding = encoding
        self._unpacker: zlib._Decompress | None = None
        self._packed = b""

    def unpacked(self, packed: bytes) -> bytes:
        """The first piece of what these bytes hold, once nothing rests of those before."""
        self._packed = packed
        return self.rest()

    def rest(self) -> bytes:
        """The next piece of what came; nothing where all of it has been given."""
        if not self._packed:
            return b""
        unpacker = self._unpacker = self._unpacker or self._begun()
        try:
            piece = unpacker.decompress(self._packed, _PIECE_BYTES)
        except zlib.error as error:
            raise ValueError(f"its {self._encoding} cannot be read") from error
        self._packed = unpacker.unconsumed_tail
        return piece

    def _begun(self) -> zlib._Decompress:
        """Some servers leave out what `deflate` demands around the bare stream."""
        if self._encoding == "gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS)
        is_bare = self._packed[0] & 0xF != 8
        return zlib.decompressobj(-zlib.MAX_WBITS if is_bare else zlib.MAX_WBITS)
