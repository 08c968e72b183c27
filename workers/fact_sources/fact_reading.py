"""From the values of a row or of a JSON document to facts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final, assert_never

from shared.messages.facts import LARGEST, DateFact, Fact, Facts, MoneyFact, NumberFact, TextFact
from shared.settings.turn.fact_field import FactField, FactType
from workers.fact_sources.source import FactsUnavailable

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|[T ])")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LONGEST_TEXT: Final = 512
_CENTS: Final = -2


def facts_from(
    values: Mapping[str, object], fields: Mapping[str, FactField], *, prefix: str = ""
) -> Facts:
    """The facts among the values; without `fields` every value whose type can be told.

    What is missing or null makes no fact. Raises FactsUnavailable for a value that is not of the
    type which its field names.
    """
    facts: Facts = {}
    for name in fields or values:
        field = fields.get(name, FactField())
        fact = _fact(name, values.get(name), field, _currency(name, values, field))
        if fact is not None:
            facts[f"{prefix}{name}"] = fact
    return facts


def _fact(name: str, value: object, field: FactField, currency: str | None) -> Fact | None:
    kind = field.type or _kind(value)
    if value is None or kind is None:
        return None
    words = list(field.words)
    try:
        match kind:
            case FactType.MONEY:
                return MoneyFact(value=_number(value), currency=currency, words=words)
            case FactType.NUMBER:
                return NumberFact(value=_number(value), words=words)
            case FactType.DATE:
                return DateFact(value=_day(value), words=words)
            case FactType.TEXT:
                return TextFact(value=_text(value), words=words)
            case _:
                assert_never(kind)
    except (ValueError, InvalidOperation):
        raise FactsUnavailable(
            f"gives '{name}' as {type(value).__name__}, which is no {kind}: mend the query or "
            "the type of the fact"
        ) from None


def _kind(value: object) -> FactType | None:
    """What a value is by itself; None for one that no answer would tell."""
    match value:
        case bool():
            return None
        case float() | Decimal():
            exponent = Decimal(str(value)).as_tuple().exponent
            return FactType.MONEY if exponent == _CENTS else FactType.NUMBER
        case int():
            return FactType.NUMBER
        case datetime.date():
            return FactType.DATE
        case str() if _DAY.match(value):
            return FactType.DATE
        case str() if 0 < len(value) <= _LONGEST_TEXT:
            return FactType.TEXT
        case _:
            return None


def _currency(name: str, values: Mapping[str, object], field: FactField) -> str | None:
    """The field's, else what the values say beside it."""
    beside = values.get(f"{name}_currency") or values.get("currency")
    is_code = isinstance(beside, str) and _CURRENCY.fullmatch(beside)
    return field.currency or (str(beside) if is_code else None)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError
    number = Decimal(str(value))
    if not number.is_finite() or abs(number) >= LARGEST:
        raise ValueError
    return number


def _day(value: object) -> datetime.date:
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    if not isinstance(value, str) or not (day := _DAY.match(value)):
        raise ValueError
    return datetime.date.fromisoformat(day[0])


def _text(value: object) -> str:
    text = str(value).strip()
    if isinstance(value, dict | list | bytes) or not 0 < len(text) <= _LONGEST_TEXT:
        raise ValueError
    return text
