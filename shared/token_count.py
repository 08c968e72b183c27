"""Tokens, before any tokenizer has been asked."""

from __future__ import annotations

from typing import Final

BYTES_PER_TOKEN: Final = 4
"""What English comes to with the tokenizers of today, and other scripts within a third.

Counted in characters a Chinese text would seem to cost a third of what it does.
"""


LARGEST_CORRECTION: Final = 50_000
"""Tokens beyond what was reserved that one answer may take from a bucket: figures are a provider's
word, and a wrong one must not keep a tenant out."""


def text_size(text: str) -> int:
    """The bytes of the text in UTF-8; for plain ASCII that is known without looking."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def estimated_tokens(size: int) -> int:
    """The tokens of a text of that many bytes, rounded up."""
    return -(-size // BYTES_PER_TOKEN)


def token_correction(*, reserved: int, used: int) -> int:
    """What a bucket is corrected by once the real figure is known; negative gives back.

    At most what was reserved, and a bound on top.
    """
    return min(used - reserved, reserved + LARGEST_CORRECTION)
