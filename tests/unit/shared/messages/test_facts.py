"""Facts of the wrong type are refused where they come in, by the name of their key."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from shared.errors import InvalidRequest
from shared.messages.facts import FACTS_KEY, DateFact, MoneyFact, facts_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "object"),
        ('{"b": 3}', "object"),
        ('{"b": {"value": 1}}', "type"),
        ('{"b": {"type": "mony", "value": 1}}', "mony"),
        ('{"b": {"type": "money", "value": "a lot"}}', "decimal"),
        ('{"b": {"type": "money", "value": "NaN"}}', "compared"),
        ('{"b": {"type": "money", "value": 1, "currency": "$"}}', "currency"),
        ('{"b": {"type": "date", "value": "2026-13-01"}}', "date"),
        ('{"b": {"type": "text", "value": ""}}', "value"),
        ('{"b": {"type": "number", "value": 1, "unit": "kg"}}', "unit"),
    ],
)
def test_facts_of_the_wrong_type_are_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        facts_of({FACTS_KEY: text})
    assert refused.value.param == "metadata.forebay.facts"
    assert said in refused.value.message


@pytest.mark.parametrize("fact", ['{"type": "mony", "value": 1}', '{"value": 1}', "3"])
def test_the_refusal_names_the_fact_and_says_what_one_looks_like(fact: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        facts_of({FACTS_KEY: f'{{"balance": {fact}}}'})
    assert "'balance'" in refused.value.message
    assert "'type' (money, number, date or text)" in refused.value.message


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_fact_needs_a_name_of_bearable_length(name: str) -> None:
    with pytest.raises(InvalidRequest, match="Give it another"):
        facts_of({FACTS_KEY: json.dumps({name: {"type": "text", "value": "x"}})})


def test_facts_come_typed_from_all_keys_that_belong_to_them() -> None:
    facts = facts_of(
        {
            FACTS_KEY: json.dumps({"balance": {"type": "money", "value": 47.15}}),
            f"{FACTS_KEY}.2": json.dumps({"due": {"type": "date", "value": "2026-12-01"}}),
            "forebay.factsheet": "not ours",
        }
    )
    balance, due = facts["balance"], facts["due"]
    assert isinstance(balance, MoneyFact)
    assert balance.value == Decimal("47.15")
    assert isinstance(due, DateFact)


@pytest.mark.parametrize("metadata", [None, {}, {"order": "A-17"}])
def test_most_messages_have_none(metadata: dict[str, str] | None) -> None:
    assert facts_of(metadata) == {}
