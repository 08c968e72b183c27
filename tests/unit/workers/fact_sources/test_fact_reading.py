"""Which fact a value of a row or of a JSON document is."""

from __future__ import annotations

import datetime
from decimal import Decimal

import pytest

from shared.messages.facts import DateFact, Fact, MoneyFact, NumberFact, TextFact
from shared.settings.turn.fact_field import FactField, FactType
from workers.fact_sources.fact_reading import facts_from
from workers.fact_sources.json_pointer import value_at
from workers.fact_sources.source import FactsUnavailable

DAY = datetime.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("value", "fact"),
    [
        (Decimal("47.10"), MoneyFact(value=Decimal("47.10"))),
        (47.15, MoneyFact(value=Decimal("47.15"))),
        (47.5, NumberFact(value=Decimal("47.5"))),
        (3, NumberFact(value=Decimal(3))),
        (DAY, DateFact(value=DAY)),
        (datetime.datetime(2026, 12, 1, 23, tzinfo=datetime.UTC), DateFact(value=DAY)),
        ("2026-12-01T23:00:00Z", DateFact(value=DAY)),
        ("shipped", TextFact(value="shipped")),
        ("2026-12-011", TextFact(value="2026-12-011")),
        (None, None),
        (True, None),
        ("", None),
        ("x" * 513, None),
        ([1], None),
        ({"a": 1}, None),
        (b"bytes", None),
    ],
)
def test_a_value_says_what_it_is(value: object, fact: Fact | None) -> None:
    assert facts_from({"it": value}, {}) == ({} if fact is None else {"it": fact})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (FactType.MONEY, "many"),
        (FactType.NUMBER, float("nan")),
        (FactType.NUMBER, 10**31),
        (FactType.DATE, "tomorrow"),
        (FactType.DATE, "2026-13-01"),
        (FactType.TEXT, [1]),
        (FactType.TEXT, "x" * 513),
    ],
)
def test_a_value_of_another_type_than_its_fields_is_named(kind: FactType, value: object) -> None:
    with pytest.raises(FactsUnavailable, match=f"'it' as .*, which is no {kind}"):
        facts_from({"it": value}, {"it": FactField(type=kind)})


def test_a_currency_stands_in_the_field_or_beside_the_value() -> None:
    values = {"a": 1, "a_currency": "EUR", "b": 2, "currency": "USD", "c": 3, "d_currency": "€"}
    money = {name: FactField(type=FactType.MONEY) for name in ("a", "b")}
    facts = facts_from(values, {**money, "c": FactField(type=FactType.MONEY, currency="CHF")})
    assert [fact.shown for fact in facts.values()] == ["1 EUR", "2 USD", "3 CHF"]


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("/a/0", 1), ("/a/9", None), ("/a/x", None), ("/b~1c/d~0e", 2), ("/z/y", None), ("/a", [1])],
)
def test_a_pointer_names_a_place(pointer: str, value: object) -> None:
    assert value_at({"a": [1], "b/c": {"d~e": 2}}, pointer) == value
