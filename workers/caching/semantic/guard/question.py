"""A question as the rules read it: taken apart once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from workers.caching.semantic.guard.vocabulary.abbreviations import spelled_alike

_TOKEN: Final = re.compile(
    r"""https?://[^\s"'<>]+          # an address is one word
    |   [\w.+-]+@[\w-]+\.[\w.-]+     # so is an e-mail address
    |   [$€£¥]?\d[\d.,:/]*\d%?|[$€£¥]?\d%?(?![\w-]*[A-Za-z])
    |   \w+(?:[-_./:#]\w+|\+\+|\#)*(?:'\w+)?
    |   [.!?\n]""",
    re.VERBOSE,
)
_ENDS_SENTENCE: Final = frozenset(".!?\n")
_CONTRACTIONS: Final = {
    "can't": ("can", "not"),
    "cannot": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "ain't": ("is", "not"),
    "let's": ("let", "us"),
}
_ENDINGS: Final = {"'re": "are", "'m": "am", "'ll": "will", "'ve": "have", "'d": "would"}
_QUESTION_WORDS: Final = frozenset({"what", "who", "where", "when", "how", "why", "that", "it"})


@dataclass(frozen=True, slots=True)
class Word:
    """One word, in lower case, and how it was written."""

    lower: str
    written: str
    begins_sentence: bool
    stem: str
    """In lower case and without the plural's ending."""


class GuardedQuestion:
    """Its words in order, contractions written out, quotation marks made plain."""

    def __init__(self, text: str) -> None:
        self.text = text.translate(_PLAIN)
        self.words: tuple[Word, ...] = tuple(_words(spelled_alike(self.text)))
        self.lower: tuple[str, ...] = tuple(word.lower for word in self.words)
        self.stems: frozenset[str] = frozenset(word.stem for word in self.words)
        self.forms: frozenset[str] = self.stems.union(self.lower)


_PLAIN: Final = str.maketrans("‘’“”«»–—\u00a0", '\'\'""""-- ')


def stem(lower: str) -> str:
    """The word without the plural's ending."""
    if len(lower) > 4 and lower.endswith("ies"):
        return lower[:-3] + "y"
    if len(lower) > 3 and lower.endswith("s") and not lower.endswith(("ss", "us", "is")):
        return lower[:-1]
    return lower


def _words(text: str) -> list[Word]:
    words: list[Word] = []
    begins = True
    for written in _TOKEN.findall(text):
        if written in _ENDS_SENTENCE:
            begins = True
            continue
        for part in filter(None, _written_out(written)):
            lower = part.lower()
            words.append(Word(lower, part, begins, stem(lower)))
            begins = False
    return words


def _written_out(written: str) -> tuple[str, ...]:
    lower = written.lower()
    if "'" not in lower and lower != "cannot":
        return (written,)
    if lower in _CONTRACTIONS:
        return _CONTRACTIONS[lower]
    if lower.endswith("n't"):
        return (written[:-3], "not")
    if lower.endswith("'s"):
        owner = written[:-2]
        return (owner, "is") if owner.lower() in _QUESTION_WORDS else (owner,)
    for ending, meant in _ENDINGS.items():
        if lower.endswith(ending):
            return (written[: -len(ending)], meant)
    return (written,)
