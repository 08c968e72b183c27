"""The cacheable rule: what is never answered from the store, and what is never kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from shared.answer_cache.cache_control import ANYTHING, CacheControl
from shared.messages.facts import FACTS_KEY
from shared.messages.file_search.found_text import Citations, FileCitation, FoundText
from shared.messages.file_search.search_tool import FileSearchTool
from shared.messages.item import FunctionCall, FunctionCallOutput, MessageItem, Role, SearchCall
from shared.messages.output import AnswerItem, encode_items
from shared.messages.part import ImagePart
from shared.messages.state import ResponseState
from shared.messages.tool import FunctionTool, ReasoningOptions
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.turn.caching import CachingSettings
from tests.queued_message import ACCEPTED_AT
from tests.unit.workers.caching.turns import asked
from workers.caching.cacheable import CacheableRule, NotCacheable, stand_ins
from workers.turn import TurnSearch
from workers.validation.refusal import begins_with_refusal

FACTS = {FACTS_KEY: json.dumps({"balance": {"type": "money", "value": 47.15}})}


def rule(**settings: Any) -> CacheableRule:
    return CacheableRule(
        CachingSettings(**{"exact": True, **settings}),
        stand_ins=["rules"],
        is_refusal=begins_with_refusal,
    )


@pytest.mark.parametrize(
    "text",
    [
        "My SSN is 078-05-1120, am I eligible?",
        "Charge 4111 1111 1111 1111 please",
        "Write to jane.doe@example.com",
        "Call me on +49 228 1234567",
        "What is my account balance?",
        "where is my last order",
        "Can you see our open invoices?",
        "I'm called Jane, what about it?",
        "How much do I owe you?",
        "What is the state of order #48213?",
        "Use the key sk-abcdefghijklmnop123 for it",
    ],
)
def test_a_personal_message_is_never_answered_from_the_store(text: str) -> None:
    assert rule().why_not_message(asked(text), ANYTHING) is NotCacheable.PERSONAL


@pytest.mark.parametrize(
    "text",
    [
        "What is a forebay?",
        "How do I turn on two-factor authentication?",
        "Which orders of magnitude are there?",
        "What is 17 times 23?",
        "My cat sleeps all day, why?",
        "What happened in 1848?",
    ],
)
def test_a_question_of_everybody_may_be(text: str) -> None:
    assert rule().why_not_message(asked(text), ANYTHING) is None


def test_what_was_said_before_makes_a_message_personal_as_well() -> None:
    before = (MessageItem(Role.USER, "My account number is of no concern here."),)
    assert rule().why_not_message(asked(before=before), ANYTHING) is NotCacheable.PERSONAL


@pytest.mark.parametrize(
    "other",
    [
        {"tools": [FunctionTool("f")]},
        {"reasoning": ReasoningOptions("low")},
        {"input": [MessageItem(Role.USER, [ImagePart("https://example.org/cat.png")])]},
        {"input": [FunctionCall("c", "f", "{}"), FunctionCallOutput("c", "done")]},
    ],
    ids=str,
)
def test_what_is_more_than_text_is_not_answered_from_the_store(other: dict[str, Any]) -> None:
    turn = asked()
    turn.body = msgspec.structs.replace(turn.body, **other)
    turn.items = turn.body.input
    assert rule().why_not_message(turn, ANYTHING) is NotCacheable.NOT_TEXT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"store": False}, NotCacheable.NO_STORE),
        ({"temperature": 1.2}, NotCacheable.TEMPERATURE),
        ({"user": "jane", "metadata": FACTS}, NotCacheable.PERSONAL_FACTS),
        ({"metadata": FACTS}, None),
        ({"user": "jane"}, None),
    ],
)
def test_what_a_message_asks_for_may_speak_against_it(
    changes: dict[str, Any], reason: NotCacheable | None
) -> None:
    assert rule().why_not_message(asked(**changes), ANYTHING) is reason


def test_no_store_is_heeded_and_no_cache_still_stores() -> None:
    assert rule().why_not_message(asked(), CacheControl(no_store=True)) is NotCacheable.NO_STORE
    assert rule().why_not_message(asked(), CacheControl(no_cache=True)) is None


def test_it_is_off_unless_switched_on_and_then_for_the_named_tenants() -> None:
    assert rule(exact=False).why_not_message(asked(), ANYTHING) is NotCacheable.OFF
    named = rule(tenants=("ten_2",))
    assert named.why_not_message(asked(), ANYTHING) is NotCacheable.OFF
    assert named.why_not_message(asked(tenant="ten_2"), ANYTHING) is None


def test_the_highest_temperature_is_a_setting_and_an_unset_one_counts_as_1() -> None:
    strict = rule(highest_temperature=0.2)
    assert strict.why_not_message(asked(), ANYTHING) is NotCacheable.TEMPERATURE
    assert strict.why_not_message(asked(temperature=0.0), ANYTHING) is None


def test_an_operator_adds_what_is_personal_where_he_is() -> None:
    own = rule(personal_patterns={"patient": r"(?i)patient \w+"})
    assert own.why_not_message(asked("How is patient Zero?"), ANYTHING) is NotCacheable.PERSONAL


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ({}, None),
        ({"state": ResponseState.FAILED}, NotCacheable.NOT_COMPLETED),
        ({"state": ResponseState.INCOMPLETE}, NotCacheable.NOT_COMPLETED),
        ({"state": ResponseState.REQUIRES_ACTION}, NotCacheable.NOT_COMPLETED),
        ({"answered_by": "rules"}, NotCacheable.NO_MODEL),
        ({"output_text": " \n"}, NotCacheable.EMPTY),
        ({"output_items": '[{"type":"reasoning"}]'}, NotCacheable.NOT_TEXT),
        ({"output_text": "x" * 101}, NotCacheable.TOO_LARGE),
        ({"output_text": "I'm sorry, but I can't help with that."}, NotCacheable.REFUSED),
        ({"output_text": "Ask jane.doe@example.com."}, NotCacheable.PERSONAL),
        ({"output_text": "You find it in your account."}, None),
    ],
)
def test_only_a_whole_answer_of_a_model_is_kept(
    end: dict[str, Any], reason: NotCacheable | None
) -> None:
    turn = asked()
    told = {"output_text": "A basin.", "answered_by": "first", **end}
    turn.end(told.pop("state", ResponseState.COMPLETED), ACCEPTED_AT, **told)
    assert rule(largest_answer_bytes=100).why_not_answer(turn) is reason


def test_the_small_model_stands_in_only_where_a_better_one_was_asked() -> None:
    better, local, rules = (
        ProviderSettings(name=kind.value, kind=kind)
        for kind in (ProviderKind.ANTHROPIC, ProviderKind.LOCAL, ProviderKind.RULES)
    )
    assert stand_ins((better, local, rules)) == ["local", "rules"]
    assert stand_ins((local, rules)) == ["rules"]


def test_who_asks_how_likely_tokens_are_gets_an_answer_of_the_models() -> None:
    turn = asked("What is a forebay?")
    turn.body = msgspec.structs.replace(turn.body, top_logprobs=0)
    assert rule().why_not_message(turn, ANYTHING) is NotCacheable.NOT_TEXT


SEARCHED = TurnSearch(question="What is a forebay?", editions=(("vs_1", 1),))
CITED = (SearchCall(queries=("?",)), Citations((FileCitation(3, "file-1", "a.md"),)))


@pytest.mark.parametrize(
    ("search", "tools", "reason"),
    [
        (SEARCHED, None, None),
        (SEARCHED, [FunctionTool("f")], NotCacheable.NOT_TEXT),
        (TurnSearch(question="?", is_away=True), None, NotCacheable.NOT_SEARCHED),
        (None, None, NotCacheable.NOT_SEARCHED),
    ],
)
def test_files_that_are_searched_speak_against_it_only_where_they_are_not(
    search: TurnSearch | None, tools: list[FunctionTool] | None, reason: NotCacheable | None
) -> None:
    turn = asked()
    turn.search = search
    turn.body = msgspec.structs.replace(
        turn.body, file_search=FileSearchTool(["vs_1"]), tools=tools
    )
    assert rule().why_not_message(turn, ANYTHING) is reason


@pytest.mark.parametrize(
    ("search", "items", "reason"),
    [
        (SEARCHED, CITED, None),
        (SEARCHED, (*CITED, FunctionCall("c", "f", "{}")), NotCacheable.NOT_TEXT),
        (TurnSearch(question="?", is_away=True), CITED, NotCacheable.NOT_SEARCHED),
    ],
)
def test_an_answer_from_files_is_kept_with_what_it_cites(
    search: TurnSearch, items: tuple[AnswerItem, ...], reason: NotCacheable | None
) -> None:
    turn = asked()
    turn.search = replace(search, found=(FoundText("file-1", "a.md", 1.0, "It is a basin."),))
    told = {"output_text": "A basin.", "answered_by": "first", "output_items": encode_items(items)}
    turn.end(ResponseState.COMPLETED, ACCEPTED_AT, **told)
    assert rule().why_not_answer(turn) is reason
    small = rule(largest_answer_bytes=20)
    assert small.why_not_answer(turn) is (reason or NotCacheable.TOO_LARGE)
