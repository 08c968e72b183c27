"""Which legs a question is worth, decided by how it is written.

The rules are read from the first to the last, and the first that fits decides. They look at
spelling alone: no model is asked, and the same question always goes the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from shared.retrieval.legs import LegName


class SearchMode(StrEnum):
    """What a caller may ask for; `auto` leaves it to the rules."""

    AUTO = "auto"
    KEYWORD = "keyword"
    SEMANTIC = "semantic"
    CODE = "code"
    SYMBOL = "symbol"
    MIXED = "mixed"


WEIGHTS: Final[Mapping[SearchMode, Mapping[LegName, float]]] = {
    SearchMode.KEYWORD: {LegName.WORDS: 1.0, LegName.KEYWORD: 1.0, LegName.SYMBOLS: 0.5},
    SearchMode.SEMANTIC: {LegName.TEXT: 1.0, LegName.WORDS: 1.0},
    SearchMode.CODE: {
        LegName.TEXT: 1.0,
        LegName.CODE: 1.0,
        LegName.WORDS: 1.0,
        LegName.SYMBOLS: 0.5,
    },
    SearchMode.SYMBOL: {LegName.SYMBOLS: 2.0, LegName.WORDS: 1.0, LegName.KEYWORD: 0.5},
    SearchMode.MIXED: {
        LegName.TEXT: 1.0,
        LegName.CODE: 1.0,
        LegName.WORDS: 1.0,
    },
}
"""A leg that is not named is not asked. Equal weights of the store's legs are the engine's own
fusion in one request: they are chosen where others were not better in docs/evaluation.md."""


class SearchRoute(msgspec.Struct, frozen=True):
    """Where a question goes, and by which rule."""

    mode: SearchMode
    rule: str
    weights: Mapping[LegName, float]


class _RoutingRule(msgspec.Struct, frozen=True):
    name: str
    fits: Callable[[str], object]
    mode: SearchMode


_IDENTIFIER: Final = r"[^\W\d]\w*"
_DOTTED: Final = rf"{_IDENTIFIER}(?:(?:\.|::|->|\#){_IDENTIFIER})+"
_JOINED: Final = (
    r"_*[^\W\d_][^\W_]*_\w*|__\w+__|_\w+"
    r"|[a-z][a-z0-9]*[A-Z]\w*|(?:[A-Z][a-z0-9]+){2,}\w*|[A-Z]{2,}[a-z]\w+"
)
"""snake_case, __dunder__, _private, camelCase, PascalCase, HTTPServer."""
_SYMBOL: Final = re.compile(rf"(?:{_DOTTED}|{_JOINED})(?:\(\))?")
_CALL: Final = re.compile(rf"{_IDENTIFIER}\(\)")
_MENTIONED: Final = re.compile(rf"`[^`]+`|(?<!\w)(?:{_DOTTED}|{_JOINED})(?:\(\))?(?!\w)")
_FENCE: Final = re.compile(r"```|~~~")
_QUOTED: Final = re.compile(r'"[^"]+"|“[^”]+”|„[^“”]+[“”]|«[^»]+»')
_PATH: Final = re.compile(
    r"(?:\.{0,2}|~|[\w.-]+)(?:/[\w.@+-]+)+/?|[A-Za-z]:\\\S+|[\w-]+\.[a-z][a-z0-9]{0,4}"
)
_ERROR_CODE: Final = re.compile(
    r"\b(?:E[A-Z]{3,}|[A-Z]{2,}(?:_[A-Z0-9]+)+|[A-Z]{1,8}-?\d{2,}|0x[0-9a-fA-F]{2,})\b"
)
_SYNTAX: Final = re.compile(
    r"=>|->|::|[=!<>]=|&&|\|\||\+=|[{};]|\w\(.*\)|\w\[[^\]]*\]|[^\s=]\s=\s[^\s=]"
    r"|^\s*(?:def|class|import|from|func|fn|const|let|var|return|struct|public|private)\s"
)
_QUESTION_WORD: Final = re.compile(
    r"(?:how|what|why|when|where|which|who|whose|can|could|does|do|did|is|are|was|should|will"
    r"|explain|describe|tell|show|wie|was|warum|wann|wo|welche[rs]?|comment|pourquoi|quand"
    r"|cómo|qué|cuándo|dónde)\b",
    re.IGNORECASE,
)
_QUESTION_MARK: Final = re.compile(r"[?？؟]\s*$")
_OF_SENTENCES: Final = frozenset({
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "did", "do", "does", "for", "from",
    "has", "have", "i", "if", "in", "into", "is", "it", "its", "me", "my", "not", "of", "on", "or",
    "our", "so", "that", "the", "their", "then", "there", "they", "this", "to", "was", "we",
    "were", "when", "where", "which", "who", "why", "will", "with", "you", "your",
})  # fmt: skip
_SENTENCE_WORDS: Final = 5
_FEW_WORDS: Final = 3


def route_of(text: str, mode: SearchMode = SearchMode.AUTO) -> SearchRoute:
    """By the first rule that fits, unless the caller chose."""
    if mode is not SearchMode.AUTO:
        return SearchRoute(mode, "asked for", WEIGHTS[mode])
    text = text.strip()
    for rule in _RULES:
        if rule.fits(text):
            return SearchRoute(rule.mode, rule.name, WEIGHTS[rule.mode])
    return SearchRoute(SearchMode.MIXED, "none of the others", WEIGHTS[SearchMode.MIXED])


def names_in(text: str, *, most: int = 5) -> tuple[str, ...]:
    """What may be a name of code in it, without `()` and backticks, in the order of the text."""
    found = (each.group().strip("`").removesuffix("()") for each in _MENTIONED.finditer(text))
    names = [*dict.fromkeys(filter(None, found))][:most]
    whole = text.strip().removesuffix("()")
    return tuple(names) or ((whole,) if re.fullmatch(_IDENTIFIER, whole) else ())


def _is_question(text: str) -> bool:
    return bool(_QUESTION_MARK.search(text) or _QUESTION_WORD.match(text))


def _is_sentence(text: str) -> bool:
    words = text.lower().split()
    return len(words) >= _SENTENCE_WORDS or any(word in _OF_SENTENCES for word in words)


def _names_code(text: str) -> bool:
    return bool(_MENTIONED.search(text))


_RULES: Final = (
    _RoutingRule("a fence", _FENCE.search, SearchMode.CODE),
    _RoutingRule("a path", _PATH.fullmatch, SearchMode.KEYWORD),
    _RoutingRule("an error code", _ERROR_CODE.fullmatch, SearchMode.KEYWORD),
    _RoutingRule("one name", _SYMBOL.fullmatch, SearchMode.SYMBOL),
    _RoutingRule("one call", _CALL.fullmatch, SearchMode.SYMBOL),
    _RoutingRule("quotes", _QUOTED.search, SearchMode.KEYWORD),
    _RoutingRule(
        "a question about a name",
        lambda text: _names_code(text) and (_is_question(text) or _is_sentence(text)),
        SearchMode.CODE,
    ),
    _RoutingRule("a question", _is_question, SearchMode.SEMANTIC),
    _RoutingRule("code", _SYNTAX.search, SearchMode.CODE),
    _RoutingRule("names of code", _names_code, SearchMode.CODE),
    _RoutingRule("an error code among words", _ERROR_CODE.search, SearchMode.KEYWORD),
    _RoutingRule("a sentence", _is_sentence, SearchMode.MIXED),
    _RoutingRule("few words", lambda text: len(text.split()) <= _FEW_WORDS, SearchMode.KEYWORD),
)
