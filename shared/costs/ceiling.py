"""The most that a call can use of each kind of token: what money is reserved by."""

from __future__ import annotations

from typing import Final

from shared.costs.price import TokenCount

_TOKENS_PER_MESSAGE: Final = 16
_TOKENS_PER_CALL: Final = 128
"""What templates write around each message and around all of them."""


def call_ceiling(*, size_bytes: int, messages: int, max_output_tokens: int) -> TokenCount:
    """No tokenizer writes more tokens than there are bytes, and no answer passes its limit."""
    around = _TOKENS_PER_CALL + _TOKENS_PER_MESSAGE * messages
    return TokenCount(size_bytes + around, max_output_tokens)
