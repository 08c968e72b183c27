"""An answer as it is kept to be given again."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class CachedAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A whole answer and where it came from.

    `cost` is what it cost when a provider gave it, so that each further use can say what it
    saved; None is unknown.
    """

    text: str
    model: str
    answered_by: str
    response_id: str
    """The message it was the answer to."""
    input_tokens: int = 0
    output_tokens: int = 0
    cost: Decimal | None = None


_decoder = msgspec.json.Decoder(CachedAnswer)


def encode_answer(answer: CachedAnswer) -> bytes:
    """The answer as Redis keeps it."""
    return msgspec.json.encode(answer)


def decode_answer(stored: bytes) -> CachedAnswer | None:
    """The answer from Redis; None for what another version wrote and this one cannot read."""
    try:
        return _decoder.decode(stored)
    except msgspec.DecodeError:
        return None
