"""A whole conversation is the same body, whichever surface it came through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.messages.body import body_digest, encode_body
from shared.messages.requests.create_response import decode_create_response
from shared.surfaces.chat.request import decode_chat_request
from shared.surfaces.messages.request import decode_messages_request

TOOL = {
    "name": "add",
    "description": "Adds.",
    "parameters": {"type": "object", "properties": {"b": {"type": "number"}}},
}
IMAGE = "https://example.com/a.png"
DOCUMENT = "data:application/pdf;base64,JVBE"


SAID = ["Be brief.", "What is it?", "Let me see.", "3", "And now?", "u-1"]


@pytest.mark.parametrize("as_blocks", [False, True])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_conversation_with_tools_images_and_files_is_one_body(
    as_blocks: bool, indent: int | None
) -> None:
    def written(asked: dict[str, Any]) -> bytes:
        common = {"model": "m", "stream": True, "temperature": 0.5}
        return json.dumps({**common, **asked}, indent=indent).encode()

    bodies = (
        decode_create_response(written(_in_responses(SAID))),
        decode_chat_request(written(_in_chat(SAID)))[1],
        decode_messages_request(written(_in_messages(SAID, as_blocks=as_blocks)))[1],
    )
    first = bodies[0]
    assert all(body == first for body in bodies)
    assert len({body_digest(body, encode_body(body)) for body in bodies}) == 1


def _in_responses(said: list[str]) -> dict[str, Any]:
    system, question, answer, output, follow, user = said
    asked = [
        {"type": "input_text", "text": question},
        {"type": "input_image", "image_url": IMAGE},
        {"type": "input_file", "file_data": DOCUMENT, "filename": "a.pdf"},
    ]
    call = {"type": "function_call", "call_id": "c1", "name": "add", "arguments": '{"b":1}'}
    return {
        "input": [
            {"role": "system", "content": system},
            {"role": "user", "content": asked},
            {"role": "assistant", "content": answer},
            call,
            {"type": "function_call_output", "call_id": "c1", "output": output},
            {"role": "user", "content": follow},
        ],
        "tools": [{"type": "function", **TOOL}],
        "tool_choice": {"type": "function", "name": "add"},
        "parallel_tool_calls": False,
        "reasoning": {"effort": "high"},
        "max_output_tokens": 9,
        "safety_identifier": user,
    }


def _in_chat(said: list[str]) -> dict[str, Any]:
    system, question, answer, output, follow, user = said
    asked = [
        {"type": "text", "text": question},
        {"type": "image_url", "image_url": {"url": IMAGE}},
        {"type": "file", "file": {"file_data": DOCUMENT, "filename": "a.pdf"}},
    ]
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"b":1}'}}
    return {
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": asked},
            {"role": "assistant", "content": answer, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": output},
            {"role": "user", "content": follow},
        ],
        "tools": [{"type": "function", "function": TOOL}],
        "tool_choice": {"type": "function", "function": {"name": "add"}},
        "parallel_tool_calls": False,
        "reasoning_effort": "high",
        "max_tokens": 9,
        "safety_identifier": user,
    }


def _in_messages(said: list[str], *, as_blocks: bool) -> dict[str, Any]:
    system, question, answer, output, follow, user = said
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}
    asked = [
        {"type": "text", "text": question},
        {"type": "image", "source": {"type": "url", "url": IMAGE}},
        {"type": "document", "source": pdf, "title": "a.pdf"},
    ]
    call = {"type": "tool_use", "id": "c1", "name": "add", "input": {"b": 1}}
    result = {
        "type": "tool_result",
        "tool_use_id": "c1",
        "content": _said(output, as_blocks),
    }
    tool = {"name": "add", "description": "Adds.", "input_schema": TOOL["parameters"]}
    return {
        "system": _said(system, as_blocks),
        "messages": [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": [{"type": "text", "text": answer}, call]},
            {"role": "user", "content": [result, {"type": "text", "text": follow}]},
        ],
        "tools": [tool],
        "tool_choice": {"type": "tool", "name": "add", "disable_parallel_tool_use": True},
        "output_config": {"effort": "high"},
        "max_tokens": 9,
        "metadata": {"user_id": user},
    }


def _said(text: str, as_blocks: bool) -> Any:
    return text if not as_blocks else [{"type": "text", "text": text}]
