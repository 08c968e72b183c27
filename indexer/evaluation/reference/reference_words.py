"""A text as words: identifiers split, English stop words and endings taken off."""

from __future__ import annotations

import re
from typing import Final

from indexer.evaluation.reference.english_stems import stem

_EDGE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\W_]+")
_STOP_WORDS: Final = frozenset({
    "a", "about", "above", "after", "again", "against", "all", "am", "an", "and", "any", "are",
    "as", "at", "be", "because", "been", "before", "being", "below", "between", "both", "but",
    "by", "can", "did", "do", "does", "doing", "don", "down", "during", "each", "few", "for",
    "from", "further", "had", "has", "have", "having", "he", "her", "here", "hers", "herself",
    "him", "himself", "his", "how", "i", "if", "in", "into", "is", "it", "its", "itself",
    "just", "me", "more", "most", "my", "myself", "no", "nor", "not", "now", "of", "off", "on",
    "once", "only", "or", "other", "our", "ours", "ourselves", "out", "over", "own", "s",
    "same", "she", "should", "so", "some", "such", "t", "than", "that", "the", "their",
    "theirs", "them", "themselves", "then", "there", "these", "they", "this", "those",
    "through", "to", "too", "under", "until", "up", "very", "was", "we", "were", "what", "when",
    "where", "which", "while", "who", "whom", "why", "will", "with", "you", "your", "yours",
    "yourself", "yourselves",
})  # fmt: skip
"""NLTK's list, which Qdrant's is made from."""


def in_plain_words(text: str) -> str:
    """`getUser_name` is `get User name`."""
    return " ".join(filter(None, _EDGE.split(text)))


def stems_of(text: str) -> list[str]:
    """What is counted of it, in its order."""
    words = (each.lower() for each in _EDGE.split(text) if each)
    return [stem(each) for each in words if each not in _STOP_WORDS]
