"""How much of a conversation a model is given, and how the rest is compressed."""

from __future__ import annotations

import msgspec

from shared.settings.units import PositiveInt


class TokenizerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tokenizer of the models whose names fit a pattern."""

    model: str
    """The model as its provider names it; `*` stands for anything, as in `gpt-4o*`."""
    file: str
    """Its `tokenizer.json` on this machine; nothing is downloaded."""


class ContextSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How much of a conversation a model is given."""

    token_budget: PositiveInt = 8_000
    """Tokens of input, the newest message included."""
    message_limit: PositiveInt = 1_000
    """Earlier messages looked at, newest first."""
    history_bytes: PositiveInt = 4_194_304
    """Bytes of earlier messages looked at, newest first."""
    tokenizers: tuple[TokenizerSettings, ...] = ()
    """One `[[context.tokenizers]]` for each tokenizer; the tokens of other models are estimated."""
