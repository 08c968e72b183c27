"""What the model is called and its measures, for who does not load it."""

from __future__ import annotations

from typing import Final

NAME: Final = "all-MiniLM-L6-v2/int8-1"
DIMENSIONS: Final = 384
TOKEN_LIMIT: Final = 256
"""What the model was trained to read; the rest of a text is cut off."""


def name_at(token_limit: int) -> str:
    """Of the model when it sees so many tokens of a text: a longer one has another vector then."""
    return NAME if token_limit == TOKEN_LIMIT else f"{NAME}@{token_limit}"
