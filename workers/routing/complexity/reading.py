"""One question taken apart once, for all signals."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from workers.routing.question import Question

_MARKS: Final = '\t\n\r.,;:!?()[]{}<>"`*#/|=+&%$^~\\“”„…—'
"""What stands between words. An apostrophe or a hyphen inside a word belongs to it."""
_SPACES: Final = str.maketrans(dict.fromkeys(_MARKS, " "))


class Reading:
    """The words of a question, in lower case, without punctuation."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.text = question.text
        self.words = _words(question.text.lower())
        self.vocabulary = set(self.words)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")


def _words(text: str) -> list[str]:
    if text.isascii():
        return text.translate(_SPACES).split()
    # Beyond ASCII a translation asks for each character on its own, which takes ten times as long.
    for mark in _MARKS:
        if mark in text:
            text = text.replace(mark, " ")
    return text.split()


def saturating(count: float, *, full: float) -> float:
    """`count` as a share of what is as much as counts."""
    return min(1.0, count / full)


def terms(text: str) -> frozenset[str]:
    """Words as a set, written as a text so that people can read and extend it."""
    return frozenset(text.split())
