"""Conversations in Anthropic's blocks: calls, outputs, images, files and thoughts."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    MessageItem,
    ReasoningItem,
    Role,
)
from shared.messages.part import FilePart, ImagePart, InputTextPart, OutputTextPart, Part
from tests.conformance.providers.official_types import MESSAGES, as_official
from workers.providers.anthropic import AnthropicMessages
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt
from workers.providers.wire.asking.thoughts import Block, sealed

WIRE = AnthropicMessages(default_output_tokens=4_000)
ASKED = MessageItem(Role.USER, "Is it raining?")
PNG = ImagePart(image_url="data:image/png;base64,AAAA", detail="low")
TOLD_PNG = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"},
}
THOUGHT: Block = {"type": "thinking", "thinking": "Hm.", "signature": "sig"}
HIDDEN: Block = {"type": "redacted_thinking", "data": "xyz"}


def request(*items: Item) -> dict[str, Any] | Declined:
    body = WIRE.request_body(Prompt(items=items), "m")
    return body if isinstance(body, Declined) else as_official(MESSAGES, body)


def messages(*items: Item) -> list[dict[str, Any]]:
    body = request(*items)
    assert not isinstance(body, Declined), body.reason
    told: list[dict[str, Any]] = body["messages"]
    return told


def told_part(part: Part) -> dict[str, Any]:
    (message,) = messages(MessageItem(Role.USER, [part]))
    (block,) = message["content"]
    assert isinstance(block, dict)
    return block


def thought(*blocks: Block, model: str = "m") -> ReasoningItem:
    return ReasoningItem(encrypted_content=sealed(list(blocks), by=WIRE.maker(model)))


def test_outputs_stand_first_in_the_turn_behind_their_calls() -> None:
    told = messages(
        ASKED,
        MessageItem(Role.ASSISTANT, "Let me look."),
        FunctionCall("a", "weather", '{"city":  "Ulm"}'),
        FunctionCall("b", "time", ""),
        MessageItem(Role.USER, "Hurry!"),
        FunctionCallOutput("b", [InputTextPart("a photo"), PNG]),
        FunctionCallOutput("a", "rain"),
        FunctionCall("c", "time", "{}"),
        FunctionCallOutput("c", ""),
    )

    assert told == [
        {"role": "user", "content": "Is it raining?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "a", "name": "weather", "input": {"city": "Ulm"}},
                {"type": "tool_use", "id": "b", "name": "time", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "rain"},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "content": [{"type": "text", "text": "a photo"}, TOLD_PNG],
                },
                {"type": "text", "text": "Hurry!"},
            ],
        },
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c", "name": "time", "input": {}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c"}]},
    ]


def test_an_output_that_tells_of_an_error_says_so() -> None:
    failed = FunctionCallOutput("a", "No such city.", status="incomplete")
    *_, told = messages(ASKED, FunctionCall("a", "weather", "{}"), failed)
    assert [block["is_error"] for block in told["content"]] == [True]


def test_arguments_are_sent_byte_for_byte() -> None:
    arguments = '{"b": 1.0,  "a": 12345678901234567890123}'
    body = WIRE.request_body(
        Prompt(items=(ASKED, FunctionCall("a", "f", arguments), FunctionCallOutput("a", "1"))), "m"
    )
    assert isinstance(body, dict)
    (call,) = body["messages"][1]["content"]  # type: ignore[index]
    assert bytes(call["input"]) == arguments.encode()


def test_each_call_has_an_id_of_its_own_that_anthropic_takes() -> None:
    def round_of(call_id: str) -> list[Item]:
        return [FunctionCall(call_id, "time", "{}"), FunctionCallOutput(call_id, "noon")]

    ids = ["call_0", "call_0", "call.0", "ä", "x" * 80, "toolu_01"]
    told = messages(ASKED, *(item for each in ids for item in round_of(each)))

    asked = [message["content"][0]["id"] for message in told[1::2]]
    answered = [message["content"][0]["tool_use_id"] for message in told[2::2]]
    assert asked == answered
    assert len(set(asked)) == len(asked)
    assert (asked[0], asked[-1]) == ("call_0", "toolu_01")
    assert all(each.replace("_", "").replace("-", "").isalnum() for each in asked)
    assert told == messages(ASKED, *(item for each in ids for item in round_of(each)))


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (PNG, TOLD_PNG),
        (
            ImagePart(image_url="https://x.example/a.png"),
            {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
        ),
        (
            FilePart(file_data="data:application/pdf;base64,JVBERg==", filename="a.pdf"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                "title": "a.pdf",
            },
        ),
        (
            FilePart(file_data="JVBERi0=", filename="a"),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
                "title": "a",
            },
        ),
        (
            FilePart(
                file_data="data:text/markdown;charset=utf-8;base64,"
                + b64encode("# Ünï".encode()).decode()
            ),
            {
                "type": "document",
                "source": {"type": "text", "media_type": "text/plain", "data": "# Ünï"},
            },
        ),
        (FilePart(file_data="data:image/png;base64,AAAA", filename="a.png"), TOLD_PNG),
        (
            FilePart(file_url="https://x.example/a.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}},
        ),
    ],
)
def test_images_and_files_are_blocks(part: Part, told: dict[str, Any]) -> None:
    assert told_part(part) == told


def test_thoughts_stand_first_and_only_their_maker_gets_them() -> None:
    call, output = FunctionCall("a", "time", "{}"), FunctionCallOutput("a", "noon")
    use = {"type": "tool_use", "id": "a", "name": "time", "input": {}}

    _, told, _ = messages(ASKED, thought(THOUGHT, HIDDEN), call, output)
    assert told["content"] == [THOUGHT, HIDDEN, use]
    for foreign in (
        thought(THOUGHT, model="another"),
        ReasoningItem(encrypted_content="gAAAA"),
        ReasoningItem(summary=({"type": "summary_text", "text": "Hm."},)),
        thought({"type": "tool_use", "id": "x", "name": "f", "input": {}}),
        thought({**THOUGHT, "text": "more"}),
        thought({"type": "thinking", "thinking": 3, "signature": "sig"}),
    ):
        _, told, _ = messages(ASKED, foreign, call, output)
        assert told["content"] == [use]


def test_thoughts_that_led_to_nothing_are_left_out() -> None:
    told = messages(ASKED, thought(THOUGHT), MessageItem(Role.USER, "Well?"), thought(THOUGHT))
    assert told == [{"role": "user", "content": "Is it raining?\n\nWell?"}]


def test_who_speaks_says_so_with_the_first_words() -> None:
    told = messages(
        MessageItem(Role.USER, "Hi!", name="ann"), MessageItem(Role.USER, [PNG], name="bob")
    )
    (message,) = told
    assert message["content"] == [
        {"type": "text", "text": "ann: Hi!"},
        {"type": "text", "text": "bob:"},
        TOLD_PNG,
    ]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (FunctionCall("a", "f", "{}"), "nothing answers the call 'a'"),
        (
            MessageItem(Role.USER, [ImagePart(file_id="file_1")]),
            "it cannot read the image 'file_1'",
        ),
        (
            MessageItem(Role.USER, [ImagePart(image_url="data:image/bmp;base64,AA==")]),
            "it takes no images of the type 'image/bmp'",
        ),
        (
            MessageItem(Role.USER, [FilePart(file_data="data:audio/wav;base64,AA==")]),
            "it takes no files of the type 'audio/wav'",
        ),
        (
            MessageItem(Role.USER, [FilePart(file_data="data:text/plain;base64,/w==")]),
            "it takes no text file that is not UTF-8 in base64",
        ),
        (
            MessageItem(Role.ASSISTANT, [OutputTextPart("See:"), PNG]),
            "it takes no images and files from a model",
        ),
    ],
)
def test_what_it_has_no_words_for_is_declined(item: Item, reason: str) -> None:
    assert request(ASKED, item) == Declined(reason=reason)


@pytest.mark.parametrize("arguments", ["[1]", "{", "null", '"x"'])
def test_arguments_that_are_no_object_are_declined(arguments: str) -> None:
    call, output = FunctionCall("a", "f", arguments), FunctionCallOutput("a", "1")
    assert request(ASKED, call, output) == Declined(
        reason="the arguments of the call 'a' are no JSON object"
    )
