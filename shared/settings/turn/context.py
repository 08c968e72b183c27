"""How much of a conversation a model is given, and how the rest is compressed."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from shared.settings.units import Positive, PositiveInt


class Summarise(StrEnum):
    """When what is too old for the prompt is compressed."""

    BACKGROUND = "background"
    INLINE = "inline"
    OFF = "off"


class TokenizerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tokenizer of the models whose names fit a pattern."""

    model: str
    """The model as its provider names it; `*` stands for anything, as in `gpt-4o*`."""
    file: str
    """Its `tokenizer.json` on this machine; nothing is downloaded."""


class ContextSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of a conversation a model is given."""

    token_budget: PositiveInt = 32_000
    """Tokens of input, the newest message included."""
    message_limit: PositiveInt = 1_000
    """Earlier messages looked at, newest first."""
    history_bytes: PositiveInt = 33_554_432
    """Bytes of earlier messages looked at, newest first, images and files counted. The newest one
    is looked at whatever its size."""
    passage_tokens: PositiveInt = 8_000
    """Of those the most that passages take which were looked up; half of `token_budget` at the
    most. The best ones are kept."""
    search_seconds: Positive = 10.0
    """The longest that looking passages up may take. After that the answer is made without them."""
    tokenizers: tuple[TokenizerSettings, ...] = ()
    """One `[[context.tokenizers]]` for each tokenizer; the tokens of other models are estimated."""
    summarise: Summarise = Summarise.BACKGROUND
    """Compress what is old by the small model: after the answer and ready for the next one, before
    the answer too where something would be lost (`inline`), or never (`off`).
    """
    summary_tokens: PositiveInt = 500
    """The longest summary; never more than a quarter of `token_budget`."""
    summary_seconds: Positive = 30.0
    """The longest that making one may take; before an answer no more than a quarter of the time
    left.
    """
    summary_ttl_seconds: Positive = 604_800.0
    """How long a summary that nobody looks at is kept in Redis."""
