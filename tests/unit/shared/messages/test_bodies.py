"""What a caller may post, and what a worker makes of what was stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import InvalidRequest
from shared.messages.body import encode_body
from shared.messages.item import MessageItem, Role
from shared.messages.part import InputTextPart, RefusalPart
from shared.messages.requests.create_response import decode_create_response
from shared.messages.stored_body import decode_body
from shared.token_count import estimated_tokens


def _body(**fields: Any) -> bytes:
    return json.dumps({"input": "hello", **fields}).encode()


def _says(*parts: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [*parts]}]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, None),
        ({"input": ["x"]}, "input[0]"),
        (_says({"type": "input_text"}), "input[0].content[0].text"),
        (_says({"text": "x"}, {"text": "x", "image_url": "x"}), "input[0].content[1].image_url"),
        ({"input": [{"role": "user", "content": "x", "call_id": "c"}]}, "input[0].call_id"),
        ({"input": [{"type": "message", "role": "user", "content": 3}]}, "input[0].content"),
        ({"temperature": 2.1}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"metadata": {"k": "v" * 513}}, None),
        ({"metadata": {str(number): "v" for number in range(17)}}, "metadata"),
        ({"user": ""}, "user"),
        ({"user": "u" * 129}, "user"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"n": 2}, "n"),
        ({"conversation": {"id": "c", "x": 1}}, "conversation.x"),
        ({"truncation": "sometimes"}, "truncation"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields: dict[str, Any], param: str | None) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_create_response(_body(**fields))
    if param is not None:
        assert refused.value.param == param
        assert param in refused.value.message


def test_a_message_continues_a_response_or_a_conversation_and_not_both() -> None:
    with pytest.raises(InvalidRequest, match="not both") as refused:
        decode_create_response(_body(previous_response_id="resp_1", conversation="conv_1"))
    assert refused.value.param == "conversation"


def test_what_was_accepted_decodes_for_the_worker_as_it_is() -> None:
    raw = _body(
        model="small",
        instructions="be brief",
        conversation={"id": "conv_1"},
        stream=True,
        metadata={"k": "v"},
        text={"format": {"type": "text"}},
    )
    body = decode_body(encode_body(decode_create_response(raw)))
    assert body.input == [MessageItem(Role.USER, "hello")]
    assert (body.conversation, body.stream, body.metadata) == ("conv_1", True, {"k": "v"})


@pytest.mark.parametrize("spelling", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_has_two_spellings(spelling: object) -> None:
    assert decode_create_response(_body(conversation=spelling)).conversation == "conv_1"


def test_the_parts_of_an_item_are_paragraphs_of_one_text() -> None:
    item = MessageItem(Role.USER, [InputTextPart("one"), RefusalPart("two")])
    assert item.text() == "one\n\ntwo"


def test_it_counts_all_that_a_model_would_read() -> None:
    body = decode_body(
        b'{"instructions":"Be brief.","input":[{"role":"user","content":"What is a forebay?"},'
        b'{"role":"user","content":[{"type":"input_text","text":"And where?"}]}]}'
    )
    told = ("Be brief.", "What is a forebay?", "And where?")
    assert body.tokens() == sum(map(estimated_tokens, told))
