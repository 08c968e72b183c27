"""Everything that an answer depends on keeps its key apart from the others."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.messages.body import Body, TextFormat, TextOptions
from shared.messages.facts import FACTS_KEY, MoneyFact
from shared.messages.file_search.search_tool import FileSearchTool
from shared.messages.item import MessageItem, Role
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from shared.messages.turn_report import Tier
from tests.unit.workers.caching.turns import asked
from workers.caching.cache_key import NOT_IN_KEY, cache_key
from workers.turn import TurnSearch

FACTS = json.dumps({"price": {"type": "money", "value": 10}})
SAID = (MessageItem(Role.USER, "I have a dam."), MessageItem(Role.ASSISTANT, "Good for you."))


KEYED = {
    "file_search": FileSearchTool(["vs_1"]),
    "frequency_penalty": 1.0,
    "max_output_tokens": 10,
    "max_tool_calls": 3,
    "parallel_tool_calls": False,
    "presence_penalty": 1.0,
    "prompt_cache_key": "p",
    "reasoning": ReasoningOptions("low"),
    "seed": 7,
    "stop": ["x"],
    "temperature": 0.0,
    "text": TextOptions(TextFormat("json_object")),
    "tool_choice": ToolChoice("required"),
    "tools": [FunctionTool("f")],
    "top_k": 4,
    "top_logprobs": 0,
    "top_p": 0.5,
}
"""Another value for each field that an answer depends on by itself."""
RECALLED: list[dict[str, Any]] = [
    {"tenant": "ten_2"},
    {"model": "large"},
    {"instructions": "Answer in French."},
    {"before": SAID},
    {"metadata": {FACTS_KEY: FACTS}},
]
UNKEYED = {
    "background": True,
    "cache_control": "max-age=5",
    "conversation": "conv_1",
    "metadata": {"ours": "1"},
    "previous_response_id": "resp_0",
    "safety_identifier": "s",
    "service_tier": "flex",
    "store": False,
    "stream": True,
    "truncation": "disabled",
    "user": "u",
}
IN_THEIR_PLACE = {"input", "instructions", "model"}
"""The fields for which the key has what was recalled and what was chosen."""


def test_every_field_of_a_body_is_in_the_key_or_named_as_left_out() -> None:
    assert set(KEYED) == set(Body.__struct_fields__) - NOT_IN_KEY
    assert {*UNKEYED, *IN_THEIR_PLACE} == NOT_IN_KEY


@pytest.mark.parametrize("name", KEYED)
def test_a_field_that_changes_the_answer_changes_the_place_and_the_namespace(name: str) -> None:
    changed = asked()
    changed.body = msgspec.structs.replace(changed.body, **{name: KEYED[name]})
    plain, other = cache_key(asked(), chain="a"), cache_key(changed, chain="a")
    assert plain.place.digest != other.place.digest
    assert plain.namespace != other.namespace


@pytest.mark.parametrize("other", RECALLED, ids=lambda other: next(iter(other)))
def test_what_changes_the_answer_changes_the_place_and_the_namespace(other: dict[str, Any]) -> None:
    plain, changed = cache_key(asked(), chain="a"), cache_key(asked(**other), chain="a")
    assert plain.place.digest != changed.place.digest
    assert plain.namespace != changed.namespace


@pytest.mark.parametrize("name", UNKEYED)
def test_what_leaves_the_answer_as_it_is_leaves_the_key(name: str) -> None:
    again = asked(**{name: UNKEYED[name]})
    assert getattr(again.body, name) is not None
    assert cache_key(again, chain="a") == cache_key(asked(), chain="a")


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


def test_an_answer_from_files_is_found_no_more_once_one_of_them_has_changed() -> None:
    def key(*editions: tuple[str, int]) -> tuple[str, str]:
        turn = asked()
        turn.search = TurnSearch(question="What is a forebay?", editions=editions, fence="f")
        found = cache_key(turn, chain="a")
        return found.place.digest, found.namespace

    first = key(("vs_1", 1), ("vs_2", 4))
    assert key(("vs_1", 1), ("vs_2", 4)) == first
    for other in (key(("vs_1", 1), ("vs_2", 5)), key(("vs_1", 1)), key()):
        assert other[0] != first[0]
        assert other[1] != first[1]
    plain = cache_key(asked(), chain="a")
    assert plain.place.digest not in {first[0], key()[0]}
