"""Text as it is stored: how large it is, and without what no database takes.

Postgres refuses NUL, and nobody takes lone surrogates.
"""

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


def text_size(text: str) -> int:
    """The bytes of the text in UTF-8; for plain ASCII that is known without looking."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
