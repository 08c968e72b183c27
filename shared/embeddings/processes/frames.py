"""What is said between a process and its models' processes: a length, then so many bytes."""

from __future__ import annotations

import asyncio
import struct
from typing import BinaryIO, Final

import msgspec

from shared.embeddings.cards import EncoderRole
from shared.embeddings.encoder import EncoderPrompt

_LENGTH: Final = struct.Struct(">I")


class EncodeTexts(msgspec.Struct, frozen=True, array_like=True):
    """Asks for the vectors of one batch; of no texts, only that the model is loaded."""

    role: EncoderRole
    texts: tuple[str, ...]
    prompt: EncoderPrompt


class TextsEncoded(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Float32 vectors one behind another."""

    vectors: bytes
    truncated: tuple[bool, ...]
    tokens: int


class NotEncoded(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Why not."""

    message: str


_asked: Final = msgspec.msgpack.Decoder(EncodeTexts)
_told: Final = msgspec.msgpack.Decoder(TextsEncoded | NotEncoded)


def framed(message: msgspec.Struct) -> bytes:
    """As it travels."""
    body = msgspec.msgpack.encode(message)
    return _LENGTH.pack(len(body)) + body


def next_asked(stream: BinaryIO) -> EncodeTexts | None:
    """The next question; None once nobody is there any more."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    body = stream.read(size)
    return _asked.decode(body) if len(body) == size else None


async def next_told(stream: asyncio.StreamReader) -> TextsEncoded | NotEncoded:
    """The next answer; raises IncompleteReadError once nobody is there any more."""
    (size,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
    told: TextsEncoded | NotEncoded = _told.decode(await stream.readexactly(size))
    return told
