"""Where the bytes of files lie: in chunks, under a name of ours."""

from __future__ import annotations

from typing import Final, Protocol

CHUNK_BYTES: Final = 262_144
"""The size of every chunk but the last of a content."""


class ContentStore(Protocol):
    """Chunks of contents, each written once; every process sees what any other has written.

    What the catalogue commits after a write returned never names chunks that a crash could take
    away. Everything raises Unavailable when the store does not answer.
    """

    async def write(self, content_id: str, ordinal: int, chunk: bytes) -> None:
        """Keep a chunk; raises Conflict where the content was removed meanwhile."""
        ...

    async def read(self, content_id: str, ordinal: int) -> bytes | None:
        """That chunk, None where there is none."""
        ...

    async def delete(self, content_id: str, *, limit: int) -> int:
        """Remove up to `limit` chunks and say how many there were: fewer mean that none is left."""
        ...


async def read_pieces(store: ContentStore, content_id: str, size: int) -> list[bytes] | None:
    """All chunks of a content of that size; None where it is not there whole any more."""
    pieces, read = list[bytes](), 0
    while read < size:
        piece = await store.read(content_id, len(pieces))
        if not piece:
            return None
        pieces.append(piece)
        read += len(piece)
    return pieces
