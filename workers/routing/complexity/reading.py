"""One question taken apart once, for all signals."""

from __future__ import annotations

from functools import cached_property
from string import ascii_lowercase, ascii_uppercase
from typing import Final

from workers.routing.question import RoutedQuestion

_MARKS: Final = b'\t\n\r.,;:!?()[]{}<>"`*#/|=+&%$^~\\'
_WIDE_MARKS: Final = "“”„…—"
"""What stands between words. An apostrophe or a hyphen inside a word belongs to it."""
_WORDS: Final = bytes.maketrans(
    _MARKS + ascii_uppercase.encode(), b" " * len(_MARKS) + ascii_lowercase.encode()
)


class QuestionReading:
    """The words of a question, without punctuation, A to Z in lower case."""

    def __init__(self, question: RoutedQuestion) -> None:
        self.question = question
        self.text = question.text
        # A lone surrogate has no place in UTF-8.
        self.encoded = question.text.encode("utf-8", "replace")
        self.words = _words(self.text, self.encoded)
        self.vocabulary = set(self.words)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")


def _words(text: str, encoded: bytes) -> list[str]:
    # Bytes are translated ten times as fast as characters beyond ASCII.
    if not text.isascii():
        for mark in _WIDE_MARKS:
            if mark in text:
                encoded = encoded.replace(mark.encode(), b" ")
    return encoded.translate(_WORDS).decode().split()


def saturating(count: float, *, full: float) -> float:
    """`count` as a share of what is as much as counts."""
    return min(1.0, count / full)


def terms(text: str) -> frozenset[str]:
    """Words as a set, written as a text so that people can read and extend it."""
    return frozenset(text.split())
