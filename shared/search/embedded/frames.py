"""Frames on the owner's socket: length, number of the call, MessagePack."""

from __future__ import annotations

import asyncio
import struct
from typing import Final

from shared.errors import InvalidRequest

MOST_BYTES: Final = 32 * 2**20
"""Of one frame; a thousand points of two vectors of 1,536 dimensions are 27 MiB."""
_HEAD: Final = struct.Struct(">IQ")
_PIECE: Final = 2**18


def framed(number: int, content: bytes) -> bytes:
    return _HEAD.pack(len(content), number) + content


async def read_head(reader: asyncio.StreamReader) -> tuple[int, int]:
    """Length and number of the next frame; raises `IncompleteReadError` where none comes."""
    length, number = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return length, number


async def skip(reader: asyncio.StreamReader, length: int) -> None:
    """Takes a frame's content without keeping it."""
    while length > 0:
        piece = await reader.readexactly(min(length, _PIECE))
        length -= len(piece)


def too_long(length: int) -> InvalidRequest:
    return InvalidRequest(
        f"The call has {length} bytes, {MOST_BYTES} are allowed: send fewer points at once.",
        param="points",
    )
