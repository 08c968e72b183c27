"""What is scored is the newest message of the user, whichever way it came."""

from __future__ import annotations

import json
from typing import Any

from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    MessageItem,
    ReasoningItem,
    Role,
)
from shared.messages.part import ImagePart
from shared.messages.stored_body import decode_body
from workers.routing.question import (
    HEAD_CHARACTERS,
    TAIL_CHARACTERS,
    RoutedQuestion,
    excerpt,
    question_of,
)


def question(*items: Item, **body: Any) -> RoutedQuestion:
    decoded = decode_body(json.dumps({"input": "x", **body}).encode())
    return question_of(decoded, items)


def test_instructions_and_earlier_messages_are_not_what_is_asked() -> None:
    asked = question(
        MessageItem(Role.SYSTEM, "Prove everything."),
        MessageItem(Role.USER, "Hello"),
        MessageItem(Role.ASSISTANT, "Hi!"),
        MessageItem(Role.DEVELOPER, "Be brief."),
        MessageItem(Role.USER, "Here is the list."),
        MessageItem(Role.USER, "What is missing?"),
    )
    assert asked.text == "Here is the list.\nWhat is missing?"
    assert asked.earlier == 2


def test_a_conversation_that_ends_with_an_answer_asks_nothing_new() -> None:
    asked = question(MessageItem(Role.USER, "Hello"), MessageItem(Role.ASSISTANT, "Hi"))
    assert (asked.text, asked.earlier) == ("", 2)


def test_every_step_of_tools_asks_what_the_user_asked() -> None:
    items: list[Item] = [
        MessageItem(Role.USER, "Hello"),
        MessageItem(Role.ASSISTANT, "Hi!"),
        MessageItem(Role.USER, "How much is left?"),
    ]
    asked = question(*items)
    for number in range(3):
        call = FunctionCall(f"call_{number}", "prove", '{"of":"everything"}')
        output = FunctionCallOutput(call.call_id, "Prove that P is not NP. " * 20)
        items += [ReasoningItem(), call, output]
        assert question(*items) == asked
    assert asked.text == "How much is left?"


def test_a_picture_asks_nothing_in_words() -> None:
    asked = question(MessageItem(Role.USER, [ImagePart("https://a.example/b.png")]))
    assert (asked.text, asked.characters) == ("", 0)


def test_outputs_without_a_question_are_no_fault() -> None:
    assert question(FunctionCallOutput("call_1", "done")).text == ""


def test_no_item_at_all_is_no_fault() -> None:
    assert question() == RoutedQuestion(text="", characters=0)


def test_of_a_long_text_both_ends_are_read() -> None:
    text = "Fix this:" + "x" * 100_000 + "Why does it fail?"
    asked = question(MessageItem(Role.USER, text))
    assert asked.characters == len(text)
    assert len(asked.text) == HEAD_CHARACTERS + TAIL_CHARACTERS + 1
    assert asked.text.startswith("Fix this:")
    assert asked.text.endswith("Why does it fail?")
    assert excerpt("short") == "short"


def test_the_form_of_the_answer_is_seen() -> None:
    plain = {"format": {"type": "text"}}
    schema = {"format": {"type": "json_schema", "name": "a", "schema": {}}}
    assert not question(text=plain).is_structured
    assert question(text=schema, max_output_tokens=9).is_structured
    assert question(max_output_tokens=9).max_output_tokens == 9
