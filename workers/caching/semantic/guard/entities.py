"""Equal names: "the weather in Paris" is not "the weather in London"."""

from __future__ import annotations

import re
from typing import Final

from workers.caching.semantic.guard.numbers import is_amount
from workers.caching.semantic.guard.question import GuardedQuestion, Word
from workers.caching.semantic.guard.vocabulary.closed_classes import KINDS, NAMES
from workers.caching.semantic.guard.vocabulary.word_set import word_set

_QUOTED: Final = re.compile(
    r"""(?<!\w)"([^"]{1,200})"|(?<!\w)'([^']{1,200})'(?!\w)|`([^`]{1,200})`"""
)
_CODE: Final = re.compile(r"^(?=.*[a-z])(?=.*\d)[\w.+#/-]+$")
_JOINED: Final = re.compile(r"[_./@:#+]")
_INNER_CAPITAL: Final = re.compile(r"[a-z][A-Z]")
_NO_NAMES: Final = word_set("i ok okay faq asap hi hello thanks am pm")
_MANY_CAPITALS: Final = 3


def differ_in_entities(asked: GuardedQuestion, stored: GuardedQuestion) -> bool:
    """Whether one holds a name, code, address or quotation that the other does not."""
    return (
        _misses(stored, _entities(asked))
        or _misses(asked, _entities(stored))
        or _quotations(asked) != _quotations(stored)
        or asked.forms & NAMES != stored.forms & NAMES
        or any(_name_another(asked, stored, kind) for kind in KINDS)
    )


def _misses(question: GuardedQuestion, entities: frozenset[str]) -> bool:
    return not entities <= question.forms


def _entities(question: GuardedQuestion) -> frozenset[str]:
    reads_capitals = not _is_shouted(question)
    return frozenset(word.stem for word in question.words if _is_entity(word, reads_capitals))


def _is_shouted(question: GuardedQuestion) -> bool:
    """Whether most words are capitalised, so that capitals say nothing."""
    inner = [word for word in question.words if not word.begins_sentence and word.lower != "i"]
    capitals = sum(word.written[:1].isupper() for word in inner)
    return capitals > max(_MANY_CAPITALS, len(inner) / 2)


def _is_entity(word: Word, reads_capitals: bool) -> bool:
    if word.lower in _NO_NAMES or is_amount(word):
        return False
    if _CODE.match(word.lower) or _JOINED.search(word.lower):
        return True
    if not reads_capitals:
        return False
    if word.written.isupper() and len(word.written) > 1:
        return True
    if _INNER_CAPITAL.search(word.written):
        return True
    return word.written[:1].isupper() and not word.begins_sentence


def _quotations(question: GuardedQuestion) -> frozenset[str]:
    found = (next(filter(None, groups)) for groups in _QUOTED.findall(question.text))
    return frozenset(" ".join(quotation.lower().split()) for quotation in found)


def _name_another(asked: GuardedQuestion, stored: GuardedQuestion, kind: frozenset[str]) -> bool:
    """Whether each names a thing of the kind that the other does not name."""
    ours, theirs = asked.forms & kind, stored.forms & kind
    return not (ours <= theirs or theirs <= ours)
