"""Filters as Meilisearch decides them: texts without regard to case, and cut as it cuts them."""

from __future__ import annotations

import re
from typing import Any, Final

_TOKEN: Final = re.compile(r'"[^"]*"|[()\[\],]|[^\s()\[\],]+')
_KEPT_BYTES: Final = 468
Document = dict[str, Any]
Value = str | float


def holds(document: Document, asked: str | None) -> bool:
    """Raises `AssertionError` where it is no filter."""
    if asked is None:
        return True
    tokens = _TOKEN.findall(asked)
    answer = _any_of(tokens, document)
    assert not tokens, asked
    return answer


def _any_of(tokens: list[str], document: Document) -> bool:
    answers = [_all_of(tokens, document)]
    while tokens[:1] == ["OR"]:
        tokens.pop(0)
        answers.append(_all_of(tokens, document))
    return any(answers)


def _all_of(tokens: list[str], document: Document) -> bool:
    answers = [_one(tokens, document)]
    while tokens[:1] == ["AND"]:
        tokens.pop(0)
        answers.append(_one(tokens, document))
    return all(answers)


def _one(tokens: list[str], document: Document) -> bool:
    field = tokens.pop(0)
    if field == "(":
        answer = _any_of(tokens, document)
        assert tokens.pop(0) == ")"
        return answer
    told = document[field]
    have = [_kept(each) for each in (told if isinstance(told, list) else [told])]
    sign = tokens.pop(0)
    if sign == "NOT":
        return not _is_in(tokens, have)
    if sign == "IN":
        tokens.insert(0, sign)
        return _is_in(tokens, have)
    if sign.startswith('"'):
        assert tokens.pop(0) == "TO"
        least, most = _value(sign), _value(tokens.pop(0))
        return any(least <= each <= most for each in have)  # type: ignore[operator]
    wanted = _value(tokens.pop(0))
    return any(_compares(each, sign, wanted) for each in have)


def _is_in(tokens: list[str], have: list[Value]) -> bool:
    assert [tokens.pop(0), tokens.pop(0)] == ["IN", "["]
    wanted: list[Value] = []
    while (token := tokens.pop(0)) != "]":
        if token != ",":
            wanted.append(_value(token))
    return any(each in wanted for each in have)


def _compares(have: Value, sign: str, wanted: Value) -> bool:
    if isinstance(have, str) or isinstance(wanted, str):
        assert sign == "=", sign
        return have == wanted
    return {
        "=": have == wanted,
        "<": have < wanted,
        "<=": have <= wanted,
        ">": have > wanted,
        ">=": have >= wanted,
    }[sign]


def _value(token: str) -> Value:
    return token.strip('"').lower() if token.startswith('"') else float(token)


def _kept(value: Value) -> Value:
    if not isinstance(value, str):
        return float(value)
    return value.lower().encode()[:_KEPT_BYTES].decode(errors="ignore")
