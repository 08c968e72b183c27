"""A prompt in OpenAI's words: nothing it would refuse, nothing the caller would miss."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemReference,
    MessageItem,
    ReasoningItem,
    Role,
)
from shared.messages.part import FilePart, ImagePart, InputTextPart, OutputTextPart
from shared.messages.tool import ReasoningOptions
from tests.conformance.providers.official_types import CHAT, as_official
from workers.providers.openai_compatible import ChatCompletions
from workers.providers.outcome import Declined
from workers.providers.provider import Prompt

ASKED = MessageItem(Role.USER, "Is it raining?")
IMAGE = ImagePart(image_url="data:image/png;base64,AAAA", detail="low")
TOLD_IMAGE = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"},
}


def request(*items: Item, is_openai: bool = False, **asked: Any) -> dict[str, Any] | Declined:
    prompt = Prompt(items=items, **asked)
    body = ChatCompletions(is_openai=is_openai).request_body(prompt, "m")
    return body if isinstance(body, Declined) else as_official(CHAT, body)


def sent(*items: Item, **asked: Any) -> dict[str, Any]:
    body = request(*items, **asked)
    assert not isinstance(body, Declined), body.reason
    return body


def test_what_else_was_asked_for_goes_along() -> None:
    body = sent(
        ASKED,
        reasoning=ReasoningOptions(effort="low"),
        prompt_cache_key="k",
        extra={"verbosity": "low", "seed": 3, "logprobs": True},
    )

    wanted = {"reasoning_effort": "low", "prompt_cache_key": "k", "verbosity": "low", "seed": 3}
    assert wanted.items() <= body.items()
    assert body["logprobs"] is True


def test_who_asks_for_what_no_server_of_chat_knows_is_left_to_the_next_provider() -> None:
    declined = request(ASKED, extra={"top_k": 4})
    assert isinstance(declined, Declined)
    assert "'top_k'" in declined.reason


def test_calls_are_answered_before_anything_else_is_said() -> None:
    body = sent(
        MessageItem(Role.SYSTEM, "Be brief."),
        ASKED,
        ReasoningItem(encrypted_content="x"),
        MessageItem(Role.ASSISTANT, "Let me look."),
        FunctionCall("a", "weather", '{"city": "Ulm"}'),
        FunctionCall("b", "time", ""),
        MessageItem(Role.USER, "Hurry!"),
        FunctionCallOutput("b", "noon"),
        FunctionCallOutput("a", [InputTextPart("rain"), InputTextPart("8 °C")]),
    )

    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it raining?"},
        {
            "role": "assistant",
            "content": "Let me look.",
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Ulm"}'},
                },
                {"id": "b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "rain\n\n8 °C"},
        {"role": "tool", "tool_call_id": "b", "content": "noon"},
        {"role": "user", "content": "Hurry!"},
    ]


def test_calls_alone_have_no_text_and_each_round_has_its_outputs() -> None:
    body = sent(
        ASKED,
        FunctionCall("a", "time", "{}"),
        FunctionCallOutput("a", ""),
        FunctionCall("a", "time", "{}"),
        FunctionCallOutput("a", "1"),
        MessageItem(Role.ASSISTANT, "One."),
    )

    roles = [message["role"] for message in body["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    assert [body["messages"][at]["content"] for at in (1, 2, 3, 4)] == [None, "", None, "1"]


def test_images_and_files_of_an_output_follow_in_the_users_message() -> None:
    file = FilePart(file_data="data:application/pdf;base64,AA==", filename="a.pdf")
    body = sent(
        ASKED,
        FunctionCall("a", "photo", "{}"),
        FunctionCall("b", "print", "{}"),
        FunctionCallOutput("a", [InputTextPart("a photo"), IMAGE]),
        FunctionCallOutput("b", [file]),
        MessageItem(Role.USER, "What is this?"),
    )

    *_, first, second, user = body["messages"]
    assert (first["content"], second["content"]) == ("a photo", "It follows.")
    assert user == {
        "role": "user",
        "content": [
            {"type": "text", "text": "Output of the call a:"},
            TOLD_IMAGE,
            {"type": "text", "text": "Output of the call b:"},
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
            },
            {"type": "text", "text": "What is this?"},
        ],
    }


def test_texts_stay_apart_only_beside_an_image() -> None:
    two = [InputTextPart("What"), InputTextPart("is this?")]

    assert sent(MessageItem(Role.USER, [*two]))["messages"] == [
        {"role": "user", "content": "What\n\nis this?"}
    ]
    (message,) = sent(MessageItem(Role.USER, [*two, InputTextPart(" "), IMAGE]))["messages"]
    assert message["content"] == [
        {"type": "text", "text": "What"},
        {"type": "text", "text": "is this?"},
        TOLD_IMAGE,
    ]


def test_those_who_speak_are_named() -> None:
    body = sent(
        MessageItem(Role.SYSTEM, "We are three.", name="example"),
        MessageItem(Role.USER, "I am Ann.", name="ann"),
        MessageItem(Role.USER, "I am Bob.", name="bob"),
        MessageItem(Role.ASSISTANT, "I am Max.", name="max"),
        MessageItem(Role.USER, "And who is this?"),
        MessageItem(Role.USER, [IMAGE]),
    )

    assert body["messages"] == [
        {"role": "system", "content": "example: We are three."},
        {"role": "user", "content": "I am Ann.", "name": "ann"},
        {"role": "user", "content": "I am Bob.", "name": "bob"},
        {"role": "assistant", "content": "I am Max.", "name": "max"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "And who is this?"}, TOLD_IMAGE],
        },
    ]


def test_an_id_that_is_too_long_is_the_same_short_one_everywhere() -> None:
    long = "call_" + "x" * 60
    body = sent(ASKED, FunctionCall(long, "time", "{}"), FunctionCallOutput(long, "1"))

    _, call, output = body["messages"]
    assert call["tool_calls"][0]["id"] == output["tool_call_id"]
    assert len(output["tool_call_id"]) <= 40


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ((FunctionCall("a", "f", "{}"),), "nothing answers the call 'a'"),
        ((FunctionCallOutput("a", "1"),), "an output answers 'a', which is no call of it"),
        ((ItemReference("msg_1"),), "nobody knows what 'msg_1' stands for"),
        (
            (MessageItem(Role.USER, [ImagePart(file_id="file_1")]),),
            "it cannot read the image 'file_1'",
        ),
        (
            (MessageItem(Role.USER, [FilePart(file_url="https://x.example/a.pdf")]),),
            "it takes files by their content alone",
        ),
        (
            (MessageItem(Role.ASSISTANT, [OutputTextPart("See:"), IMAGE]),),
            "it takes no images and files from a model",
        ),
    ],
)
def test_what_it_has_no_words_for_is_declined(items: tuple[Item, ...], reason: str) -> None:
    assert request(ASKED, *items) == Declined(reason=reason)


def test_an_image_is_not_copied() -> None:
    url = "data:image/png;base64," + "A" * 1000
    prompt = Prompt(items=(MessageItem(Role.USER, [ImagePart(image_url=url)]),))
    body = ChatCompletions().request_body(prompt, "m")

    assert isinstance(body, dict)
    (message,) = msgspec.convert(body["messages"], list[dict[str, Any]])
    assert message["content"][0]["image_url"]["url"] is url
