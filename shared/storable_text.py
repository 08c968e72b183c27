"""Text that every database takes: without NUL, which Postgres refuses, and lone surrogates."""

from __future__ import annotations

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without the characters that no database takes, and nobody means."""
    return text if is_storable(text) else _UNSTORABLE.sub("", text)


def is_storable(text: str) -> bool:
    """Whether a database takes the text as it is."""
    # A search of every answer would cost more than all else that is done to its text here.
    return "\0" not in text and (text.isascii() or _UNSTORABLE.search(text) is None)
