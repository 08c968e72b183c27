"""Calls, outputs, images and files: what is taken, and which sentence names what is not."""

from __future__ import annotations

import json
from base64 import b64encode
from struct import pack
from typing import Any
from zlib import crc32

import pytest
from openai.types import responses as openai_responses
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from shared.errors import InvalidRequest
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    ItemReference,
    MessageItem,
    ReasoningItem,
    Role,
)
from shared.messages.part import FilePart, ImagePart, InputTextPart
from shared.messages.requests.create_response import decode_create_response
from shared.messages.stored_body import decode_body
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice

CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": '{"a":1}'}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "done"}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}
WEB = "https://example.org/cat.png"


def read(*items: Any, **fields: Any) -> Body:
    return decode_create_response(json.dumps({"input": items or "Hi", **fields}).encode())


def said(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*parts]}


def image(data: bytes, kind: str = "png") -> dict[str, Any]:
    return _image(f"data:image/{kind};base64,{b64encode(data).decode()}")


def _image(url: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url}


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", crc32(kind + data))


PNG = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", bytes(13)) + _chunk(b"IDAT", bytes(500))
PNG += _chunk(b"IEND", b"")
WEBP = b"RIFF" + pack("<I", 104) + b"WEBP" + bytes(100)


def test_a_turn_with_a_tool_becomes_items_and_is_read_back_as_they_are() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
    picture = {"type": "input_text", "text": "see"}, _image(WEB)
    body = read(
        said(*picture),
        thought,
        CALL,
        {**OUTPUT, "output": [{"type": "input_text", "text": "done"}]},
        tools=[TOOL],
        tool_choice={"type": "function", "name": "f"},
        reasoning={"effort": "low"},
    )
    assert body.input == [
        MessageItem(Role.USER, [InputTextPart("see"), ImagePart(WEB)]),
        ReasoningItem("rs_1", encrypted_content="x"),
        FunctionCall("c", "f", '{"a":1}'),
        FunctionCallOutput("c", "done"),
    ]
    assert body.tools == [FunctionTool("f", parameters={"type": "object"})]
    assert body.tool_choice == ToolChoice("required", ["f"])
    assert body.reasoning == ReasoningOptions("low")
    assert decode_body(encode_body(body)) == body


def test_an_item_is_read_by_its_text_its_tokens_and_its_digest() -> None:
    picture = MessageItem(Role.USER, [InputTextPart("see"), ImagePart(WEB), InputTextPart("it")])
    call, output = FunctionCall("c", "f", "{}"), FunctionCallOutput("c", "né")
    assert [item.text() for item in (picture, call, output)] == ["see\n\nit", "f({})", "né"]
    assert min(call.tokens(), output.tokens()) > 0
    assert picture.tokens() > 1_000
    assert not picture.only_text
    others = [
        FunctionCall("d", "f", "{}"),
        FunctionCall("c", "g", "{}"),
        FunctionCallOutput("c", "n"),
        MessageItem(Role.USER, [InputTextPart("see"), InputTextPart("it")]),
        ReasoningItem(encrypted_content="x"),
        ItemReference("c"),
    ]
    digests = [item.digest() for item in (picture, call, output, *others)]
    assert len(set(digests)) == len(digests)
    assert FunctionCall("c", "f", "{}", id="fc_1", status="completed").digest() == call.digest()


def test_a_schemas_keys_may_stand_in_any_order_and_keep_it() -> None:
    def offered(properties: dict[str, Any]) -> Body:
        return read(tools=[{**TOOL, "parameters": {"properties": properties}}])

    one, other = offered({"b": {}, "a": {}}), offered({"a": {}, "b": {}})
    assert b'{"b":{},"a":{}}' in encode_body(one)
    assert body_digest(one, encode_body(one)) == body_digest(other, encode_body(other))


@pytest.mark.parametrize(
    "picture",
    [image(PNG), image(WEBP, "webp"), image(b"\xff\xd8\xff\xe0 jpeg", "jpeg"), _image(WEB)],
)
def test_an_image_is_taken(picture: dict[str, Any]) -> None:
    (item,) = read(said(picture)).input
    assert isinstance(item, MessageItem)
    assert item.content == [ImagePart(picture["image_url"])]


def test_what_continues_an_earlier_message_may_answer_a_call_that_stands_there() -> None:
    assert read(OUTPUT, previous_response_id="resp_1").input == [FunctionCallOutput("c", "done")]
    assert read(OUTPUT, conversation="conv_1").continues


def test_a_file_has_one_source() -> None:
    (item,) = read(said({"type": "input_file", "file_id": "file_1"})).input
    assert isinstance(item, MessageItem)
    assert item.content == [FilePart("file_1")]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": [{"type": "web_search_call", "id": "w"}]}, "input[0]"),
        ({"input": [{"type": "mcp_call", "server_label": "x"}]}, "input[0]"),
        ({"input": [said({"type": "input_audio"})]}, "input[0].content[0]"),
        ({"input": [said({"type": "input_audio", "input_audio": {}})]}, "input[0].content[0]"),
        (
            {"input": [CALL, {**OUTPUT, "output": [{"type": "input_video"}]}]},
            "input[1].output[0]",
        ),
        ({"tools": [TOOL, {"type": "web_search"}]}, "tools[1]"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [{"type": "custom", "name": "c"}]}, "tools[0]"),
        ({"tools": [TOOL], "tool_choice": {"type": "web_search"}}, "tool_choice"),
        (
            {
                "tools": [TOOL],
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "mcp", "server_label": "s"}],
                },
            },
            "tool_choice.tools[0]",
        ),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"moderation": {}}, "moderation"),
        ({"context_management": []}, "context_management"),
    ],
)
def test_what_is_not_supported_is_one_sentence_that_says_what_to_remove(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequest, match="Remove it") as refused:
        decode_create_response(json.dumps({"input": "Hi", **fields}).encode())
    assert (refused.value.kind, refused.value.param) == ("unsupported_parameter", param)
    assert f"'{param}'" in refused.value.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{}]}, "tools[0].name"),
        ({"tools": [{**TOOL, "parameters": "x"}]}, "tools[0].parameters"),
        ({"tools": [{**TOOL, "loud": True}]}, "tools[0].loud"),
        ({"tools": [TOOL], "tool_choice": "any"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"name": "f"}}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"reasoning": {"effort": "a lot"}}, "reasoning.effort"),
        ({"input": [{**CALL, "loud": True}]}, "input[0].loud"),
        ({"input": [said({"type": "input_image", "detail": "x"})]}, "input[0].content[0].detail"),
    ],
)
def test_what_is_malformed_is_named_by_its_field(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_create_response(json.dumps({"input": "Hi", **fields}).encode())
    assert refused.value.param == param
    assert refused.value.kind != "unsupported_parameter"


def test_reasoning_of_which_nothing_is_asked_is_none() -> None:
    assert read(reasoning={}) == read(reasoning={"effort": None, "context": "auto"}) == read()


def test_the_older_name_of_a_summary_is_the_same() -> None:
    assert read(reasoning={"generate_summary": "auto"}) == read(reasoning={"summary": "auto"})


def test_what_typed_clients_add_as_null_is_nothing() -> None:
    called = dict.fromkeys(openai_responses.ResponseFunctionToolCallItem.model_fields)
    answered = dict.fromkeys(openai_responses.ResponseFunctionToolCallOutputItem.model_fields)
    call, output = {**called, "async": None, **CALL}, {**answered, **OUTPUT}
    tool = {**dict.fromkeys(openai_responses.FunctionTool.model_fields), "async": None, **TOOL}
    top = dict.fromkeys(ResponseCreateParamsBase.__annotations__.keys() - {"input", "tools"})
    assert read(call, output, tools=[tool], **top) == read(CALL, OUTPUT, tools=[TOOL])


def test_up_to_where_a_prompt_may_be_kept_is_in_the_body_and_says_nothing_more() -> None:
    part = {"type": "input_text", "text": "Hi"}
    for told in (part, _image(WEB)):
        [plain] = read(said(told)).input
        marked = [
            read(said({**told, **hint})).input[0]
            for hint in (
                {"cache_control": {"type": "ephemeral"}},
                {"cache_control": {"type": "ephemeral", "ttl": "5m"}},
                {"prompt_cache_breakpoint": {"mode": "explicit"}},
            )
        ]
        assert marked[0] == marked[1] == marked[2] != plain
        assert marked[0].digest() == plain.digest()


def test_a_fifth_breakpoint_is_refused_by_its_place() -> None:
    part = {"type": "input_text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    assert len(read(*[said(part)] * 4).input) == 4
    with pytest.raises(InvalidRequest, match="more than 4") as refused:
        read(*[said(part)] * 5)
    assert refused.value.param == "input[4].cache_control"
