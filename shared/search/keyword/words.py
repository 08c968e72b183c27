"""Words of code and of questions, as they are split for the search by words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

MOST_WORDS: Final = 10
"""Of a question: Meilisearch reads no more."""
_TOKEN: Final = re.compile(r"\w+")
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PART_OF_OTHERS: Final = re.compile(r"[^\W\d_]+|\d+")
_STOP_WORDS: Final = frozenset(
    """
    a about an and any are as at be been but by can could did do does for from had has have how i
    if in into is it its me my no not of on or our out should so than that the their them then
    there these they this those to was we were what when where which who why will with would you
    your
    """.split()  # noqa: SIM905
)


def parts_of(token: str) -> list[str]:
    """`getHTTPServer_2` is get, HTTP, Server, 2; letters beyond ASCII are split at `_` alone."""
    if token.isascii():
        return _PART.findall(token)
    return _PART_OF_OTHERS.findall(token)


def identifiers_of(texts: Iterable[str]) -> str:
    """The parts of all names that have more than one, each once, in small letters."""
    found: dict[str, None] = {}
    for text in texts:
        for token in _TOKEN.findall(text):
            if token.islower() and token.isalpha():
                continue
            parts = parts_of(token)
            if len(parts) > 1:
                found |= dict.fromkeys(part.lower() for part in parts)
    return " ".join(found)


def asked_words(text: str) -> tuple[str, ...]:
    """The words of a question, in their order, cut to what the server reads.

    Without words like `the`, where any other is left. Of more than ten the longest: a long word is
    a rare one more often than not, and how rare a word is only the server knows. A name counts as
    its parts.
    """
    unique = {token.casefold(): token for token in _TOKEN.findall(text) if _is_word(token)}
    telling = [token for folded, token in unique.items() if folded not in _STOP_WORDS]
    words = telling or list(unique.values())
    room = MOST_WORDS
    chosen: set[str] = set()
    for word in sorted(words, key=len, reverse=True):
        cost = max(1, len(parts_of(word)))
        if cost <= room or not chosen:
            chosen.add(word)
            room -= cost
    return tuple(word for word in words if word in chosen)


def _is_word(token: str) -> bool:
    """A question of signs alone would be no question to the server, which then gives anything."""
    return any(each.isalnum() and unicodedata.category(each) != "Lm" for each in token)
