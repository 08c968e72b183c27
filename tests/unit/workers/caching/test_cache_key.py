"""Everything that an answer depends on keeps its key apart from the others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from shared.messages.facts import FACTS_KEY, MoneyFact
from shared.messages.input_item import InputItem, Role
from shared.messages.turn_report import Tier
from tests.unit.workers.caching.turns import asked
from workers.caching.cache_key import cache_key

FACTS = json.dumps({"price": {"type": "money", "value": 10}})
SAID = (InputItem(Role.USER, "I have a dam."), InputItem(Role.ASSISTANT, "Good for you."))


@pytest.mark.parametrize(
    "other",
    [
        {"tenant": "ten_2"},
        {"model": "large"},
        {"instructions": "Answer in French."},
        {"before": SAID},
        {"temperature": 0.0},
        {"top_p": 0.5},
        {"max_output_tokens": 10},
        {"stop": ["x"]},
        {"seed": 7},
        {"presence_penalty": 1.0},
        {"frequency_penalty": 1.0},
        {"text": {"format": {"type": "json_object"}}},
        {"metadata": {FACTS_KEY: FACTS}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_changes_the_answer_changes_the_place_and_the_namespace(other: dict[str, Any]) -> None:
    plain, changed = cache_key(asked(), chain="a"), cache_key(asked(**other), chain="a")
    assert plain.place.digest != changed.place.digest
    assert plain.namespace != changed.namespace


def test_another_question_has_another_place_in_the_same_namespace() -> None:
    one, two = cache_key(asked("a"), chain="a"), cache_key(asked("b"), chain="a")
    assert one.place != two.place
    assert one.namespace == two.namespace


def test_the_tier_the_chain_and_what_was_looked_up_are_parts_of_the_key() -> None:
    plain = cache_key(asked(), chain="a").place
    routed = asked()
    routed.model = Tier.SMALL
    informed = asked()
    informed.facts = {"balance": MoneyFact(value=Decimal("47.15"))}
    places = {plain, cache_key(routed, chain="a").place, cache_key(informed, chain="a").place}
    assert len(places | {cache_key(asked(), chain="b").place}) == 4


def test_white_space_around_the_text_and_who_asks_make_no_difference() -> None:
    plain = cache_key(asked("What is a forebay?"), chain="a")
    assert cache_key(asked("  What is a forebay?\n"), chain="a") == plain
    assert cache_key(asked(user="somebody", metadata={"ours": "1"}), chain="a") == plain
    assert cache_key(asked("What is a Forebay?"), chain="a") != plain


def test_only_a_question_without_a_conversation_stands_alone() -> None:
    assert cache_key(asked(instructions="Be short."), chain="a").is_lone_question
    assert not cache_key(asked(before=SAID), chain="a").is_lone_question
    ends_otherwise = asked()
    ends_otherwise.items.append(SAID[1])
    assert not cache_key(ends_otherwise, chain="a").is_lone_question
