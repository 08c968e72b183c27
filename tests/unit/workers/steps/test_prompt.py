"""From the body that was accepted to what a provider is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.messages.item import MessageItem, Role
from tests.queued_message import queued_message
from workers.providers.provider import AUTOMATIC_MODEL, Prompt
from workers.steps.answer import prompt_of
from workers.turn import Turn, begin_turn

SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}}


def turn_of(user: str | None = None, **body: Any) -> Turn:
    turn = begin_turn(queued_message(body=json.dumps({"input": "hello", **body}), user_id=user))
    turn.items = [MessageItem(Role.SYSTEM, "be brief"), *turn.body.input]
    return turn


def test_a_plain_message_leaves_everything_to_the_provider() -> None:
    assert prompt_of(turn_of()) == Prompt(
        items=(
            MessageItem(Role.SYSTEM, "be brief"),
            MessageItem(Role.USER, "hello"),
        ),
        model=AUTOMATIC_MODEL,
        tenant="ten_1",
    )


def test_what_the_caller_asked_for_is_passed_on() -> None:
    prompt = prompt_of(
        turn_of(user="ada", model="small", max_output_tokens=9, temperature=0.5, top_p=0.9, seed=7)
    )
    assert (prompt.model, prompt.max_output_tokens) == ("small", 9)
    assert (prompt.temperature, prompt.top_p, prompt.user) == (0.5, 0.9, "ada")
    assert prompt.extra == {"seed": 7}


def test_a_temperature_of_zero_is_a_wish_and_not_nothing() -> None:
    prompt = prompt_of(turn_of(temperature=0, presence_penalty=0, seed=0))
    assert prompt.temperature == 0
    assert prompt.extra == {"presence_penalty": 0, "seed": 0}


@pytest.mark.parametrize(
    ("stop", "said"), [("END", ("END",)), (["A", "B"], ("A", "B")), (None, ())]
)
def test_a_stop_is_one_word_or_several(stop: object, said: tuple[str, ...]) -> None:
    assert prompt_of(turn_of(stop=stop)).stop == said


@pytest.mark.parametrize(
    ("text", "response_format"),
    [
        (None, None),
        ({}, None),
        ({"format": {"type": "text"}}, None),
        ({"format": {"type": "json_object"}}, {"type": "json_object"}),
        (
            {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True}},
            {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}},
        ),
    ],
)
def test_a_format_is_said_in_the_words_of_chat(text: object, response_format: object) -> None:
    assert prompt_of(turn_of(text=text)).extra.get("response_format") == response_format


def test_what_a_typed_client_left_null_is_told_to_nobody() -> None:
    form = {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": None}
    told = prompt_of(turn_of(text={"format": form})).extra["response_format"]
    assert told == {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA}}


def test_a_verbosity_is_passed_on() -> None:
    assert prompt_of(turn_of(text={"verbosity": "low"})).extra == {"verbosity": "low"}
    assert prompt_of(turn_of(text={"verbosity": None})).extra == {}


def test_the_facts_are_told_behind_the_users_words_and_are_none_of_them() -> None:
    turn = turn_of()
    turn.fact_sheet = "known"
    prompt = prompt_of(turn)
    instructions, question = prompt.told
    assert instructions.text() == "be brief"
    assert question.text().startswith("hello\n\n<system_note>")
    assert "\nknown\n" in question.text()
    assert prompt.last_user_message == "hello"
    assert prompt_of(turn_of()).told == prompt.items


def test_a_message_of_a_conversation_says_which() -> None:
    turn = begin_turn(queued_message(conversation_id="conv_1"))
    assert prompt_of(turn).conversation == "conv_1"
