"""Which words of a passage were asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shared.search.folding import folded
from shared.search.generation import BODY
from shared.search.keyword.keyword_store import Highlight

_WORD: Final = re.compile(r"\w+")
_PART: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\dA-Za-z_]+")
_ENDING: Final = re.compile(r"(?<=[a-z]{3})(?:ing|ed|es|e|s)\Z")
_MOST: Final = 100
_STOP: Final = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "do", "does", "for", "from", "how", "if",
    "in", "is", "it", "of", "on", "or", "that", "the", "to", "was", "what", "when", "where",
    "which", "who", "why", "with",
})  # fmt: skip


def words_of(question: str) -> frozenset[str]:
    """What is looked for: its words and the parts that names are joined of, without case."""
    words = {
        part for word in _WORD.findall(folded(question)) for part in (word, *_PART.findall(word))
    }
    # By the whole word: "does" and "where" have stems that stop nothing.
    asked = [word for word in words if word.casefold() not in _STOP]
    return frozenset(map(_stem, asked or words))


def _stem(word: str) -> str:
    """Without case and the commonest English endings: stores find words in any of their forms."""
    folded_word = word.casefold()
    ending = _ENDING.search(folded_word)
    return folded_word[: ending.start()] if ending else folded_word


def highlights(body: str, words: frozenset[str]) -> tuple[Highlight, ...]:
    """At most a hundred spans of the body, in their order: whole words, or parts of one that fit.

    Characters of the body and no HTML: what is marked, and how, is the caller's matter.
    """
    spans: list[Highlight] = []
    for span in _spans(body, words):
        spans.append(span)
        if len(spans) == _MOST:
            break
    return tuple(spans)


def _spans(body: str, words: frozenset[str]) -> Iterator[Highlight]:
    for word in _WORD.finditer(body):
        if _stem(word.group()) in words:
            yield Highlight(BODY, word.start(), word.end())
            continue
        for part in _PART.finditer(body, word.start(), word.end()):
            if _stem(part.group()) in words:
                yield Highlight(BODY, part.start(), part.end())
