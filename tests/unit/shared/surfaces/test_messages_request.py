"""What a body of POST /v1/messages means, and what of it is refused."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Any

import msgspec
import pytest

from shared.decoding import CutJson, cut_json
from shared.errors import InvalidRequest
from shared.messages.body import TextFormat, TextOptions
from shared.messages.item import FunctionCall, FunctionCallOutput, MessageItem, ReasoningItem, Role
from shared.messages.part import CacheBreakpoint, FilePart, ImagePart, InputTextPart
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from shared.surfaces.messages.request import decode_count_tokens, decode_messages_request
from tests.unit.shared.surfaces.messages_bodies import (
    GIF,
    HI,
    TOOL,
    body_of,
    document,
    items_of,
    refusal,
    text,
)


def test_all_of_a_request_reaches_the_body() -> None:
    body = body_of(
        temperature=0.5,
        top_p=0.25,
        stop_sequences=["END"],
        stream=True,
        metadata={"user_id": "u-1"},
        service_tier="standard_only",
        tools=[TOOL],
        tool_choice={"type": "tool", "name": "add", "disable_parallel_tool_use": True},
        thinking={"type": "enabled", "budget_tokens": 10_000},
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
    )
    assert (body.model, body.max_output_tokens, body.stream) == ("m", 9, True)
    assert (body.temperature, body.top_p, body.stop) == (0.5, 0.25, ["END"])
    assert (body.user_id, body.service_tier) == ("u-1", "default")
    assert body.tools == [FunctionTool("add", "Adds.", {"type": "object"})]
    assert body.tool_choice == ToolChoice("required", ["add"])
    assert body.parallel_tool_calls is False
    assert body.reasoning == ReasoningOptions("medium", "auto")
    assert body.text == TextOptions(TextFormat("json_schema", "answer", {"type": "object"}))


KEPT = CacheBreakpoint("ephemeral")


def test_a_conversation_becomes_items_in_its_order() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s"}
    call = {"type": "tool_use", "id": "c1", "name": "add", "input": {"b": 1, "a": [2]}}
    result = {"type": "tool_result", "tool_use_id": "c1", "content": [text("3")]}
    body = body_of(
        system=[text("Be brief.", cache_control={"type": "ephemeral"}), text("Be kind.")],
        messages=[
            HI,
            {
                "role": "assistant",
                "content": [
                    thought,
                    {"type": "redacted_thinking", "data": "x"},
                    text("Let me see."),
                    call,
                ],
            },
            {"role": "user", "content": [result, text("And now?"), text("Well?")]},
            {"role": "system", "content": "Hurry."},
        ],
    )
    assert body.input == [
        MessageItem(Role.SYSTEM, [InputTextPart("Be brief.", KEPT), InputTextPart("Be kind.")]),
        MessageItem(Role.USER, "Hi"),
        ReasoningItem(summary=({"type": "summary_text", "text": "Hm."},), encrypted_content="s"),
        ReasoningItem(encrypted_content="x"),
        MessageItem(Role.ASSISTANT, "Let me see."),
        FunctionCall("c1", "add", '{"b":1,"a":[2]}'),
        FunctionCallOutput("c1", "3"),
        MessageItem(Role.USER, [InputTextPart("And now?"), InputTextPart("Well?")]),
        MessageItem(Role.SYSTEM, "Hurry."),
    ]


def test_an_output_that_tells_of_an_error_says_so() -> None:
    call = {"type": "tool_use", "id": "c1", "name": "add", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "c1", "is_error": True}
    talk = [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    assert body_of(messages=talk).input[-1] == FunctionCallOutput("c1", "", status="incomplete")


def test_images_come_by_content_by_address_and_by_id() -> None:
    sources = (
        {"type": "base64", "media_type": "image/gif", "data": GIF},
        {"type": "url", "url": "https://example.com/a.png"},
        {"type": "file", "file_id": "file-1"},
    )
    (item,) = items_of(*({"type": "image", "source": source} for source in sources))
    assert isinstance(item, MessageItem)
    assert item.content == [
        ImagePart(f"data:image/gif;base64,{GIF}"),
        ImagePart("https://example.com/a.png"),
        ImagePart(file_id="file-1"),
    ]


def test_documents_are_files_and_those_of_text_are_text() -> None:
    (item,) = items_of(
        document(
            {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            title="a.pdf",
            context="Ours.",
            citations={"enabled": False},
        ),
        document({"type": "url", "url": "https://example.com/b.pdf"}),
        document({"type": "file", "file_id": "file-1"}, title="c.pdf"),
        document({"type": "text", "media_type": "text/plain", "data": "D"}, title="d.txt"),
    )
    assert isinstance(item, MessageItem)
    assert item.content == [
        InputTextPart("Ours."),
        FilePart(file_data="data:application/pdf;base64,JVBE", filename="a.pdf"),
        FilePart(file_url="https://example.com/b.pdf"),
        FilePart("file-1", filename="c.pdf"),
        InputTextPart("d.txt"),
        InputTextPart("D"),
    ]


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        ({"type": "auto"}, None),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "add"}, ToolChoice("required", ["add"])),
    ],
)
def test_each_choice_of_a_tool_has_its_word(
    choice: dict[str, Any], meant: ToolChoice | None
) -> None:
    assert body_of(tools=[TOOL], tool_choice=choice).tool_choice == meant


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, ReasoningOptions("none")),
        ({"thinking": {"type": "adaptive"}}, ReasoningOptions(None, "auto")),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, None),
        ({"output_config": {"effort": "max"}}, ReasoningOptions("max")),
        *(
            (
                {"thinking": {"type": "enabled", "budget_tokens": budget, "display": "omitted"}},
                ReasoningOptions(effort),
            )
            for budget, effort in ((1024, "low"), (4096, "medium"), (16_384, "high"))
        ),
    ],
)
def test_thinking_is_an_effort(asked: dict[str, Any], meant: ReasoningOptions | None) -> None:
    assert body_of(**asked).reasoning == meant


@pytest.mark.parametrize(
    ("thinking", "shows"),
    [
        (None, False),
        ({"type": "disabled"}, False),
        ({"type": "adaptive"}, True),
        ({"type": "adaptive", "display": "omitted"}, True),
    ],
)
def test_thoughts_are_in_the_answer_of_who_asked_to_think(
    thinking: dict[str, Any] | None, shows: bool
) -> None:
    raw = msgspec.json.encode({"max_tokens": 9, "messages": [HI], "thinking": thinking})
    assert decode_messages_request(raw)[0].shows_thoughts is shows


def test_the_former_name_of_the_format_is_taken_as_well() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    assert body_of(output_format=form) == body_of(output_config={"format": form})
    assert refusal(output_format=form, output_config={"format": form}).param == "output_format"


def test_an_id_of_a_user_that_is_too_long_is_known_by_its_digest() -> None:
    long = body_of(metadata={"user_id": "u" * 300}).user_id
    assert long is not None
    assert long.startswith("sha256:")
    assert len(long) <= 128
    assert long != body_of(metadata={"user_id": "u" * 301}).user_id
    assert body_of(metadata={"user_id": "u" * 128}).user_id == "u" * 128


def test_what_is_counted_is_what_is_said_and_offered() -> None:
    said = {"messages": [HI], "system": "Be brief.", "tools": [TOOL]}
    counted = decode_count_tokens(msgspec.json.encode(said))
    assert counted.tokens() == body_of(**said).tokens()
    with pytest.raises(InvalidRequest, match="max_tokens"):
        decode_count_tokens(msgspec.json.encode({**said, "max_tokens": 9}))


def test_an_image_that_was_cut_out_is_there() -> None:
    data = b64encode(b"\xff\xd8\xff" * 100_000).decode()
    source = {"type": "base64", "media_type": "image/jpeg", "data": data}
    said = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    raw = msgspec.json.encode({"max_tokens": 9, "messages": said})
    there = asyncio.run(cut_json(raw))
    assert isinstance(there, CutJson)
    without_the_whole = msgspec.structs.replace(there, whole=b"")
    assert decode_messages_request(without_the_whole) == decode_messages_request(raw)
