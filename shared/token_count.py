"""Tokens, before any tokenizer has been asked."""

from __future__ import annotations

from typing import Final

CHARACTERS_PER_TOKEN: Final = 4
"""What English text comes to with the tokenizers of today; code and other scripts cost more."""


def estimated_tokens(characters: int) -> int:
    """The tokens of that many characters, rounded up."""
    return -(-characters // CHARACTERS_PER_TOKEN)
