"""What a surface asks for under a name of the body's has that name in the body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.messages.body import Body, ResponseFields
from shared.messages.requests.create_response import CreateResponse, decode_create_response
from shared.messages.stored_body import decode_body
from shared.surfaces.chat.request import ChatRequest, decode_chat_request

TOLD: dict[str, Any] = {
    "model": "m",
    "metadata": {"topic": "roads"},
    "parallel_tool_calls": False,
    "prompt_cache_key": "k",
    "safety_identifier": "s",
    "service_tier": "flex",
    "store": False,
    "stream": True,
    "temperature": 0.5,
    "top_p": 0.25,
    "user": "u",
    "background": True,
    "cache_control": "no-store",
    "instructions": "Be brief.",
    "max_output_tokens": 7,
    "previous_response_id": "p",
    "text": {"verbosity": "low"},
    "truncation": "disabled",
    "conversation": "c",
    "frequency_penalty": 0.125,
    "presence_penalty": 0.75,
    "seed": 3,
    "stop": ["."],
    "max_tool_calls": 2,
    "reasoning": {"effort": "low"},
}
OTHERWISE = {"tool_choice", "tools", "top_logprobs"}
"""What the body has in words of its own."""
CHAT = set(ChatRequest.__struct_fields__) & set(Body.__struct_fields__) - OTHERWISE
RESPONSES = set(CreateResponse.__struct_fields__) & set(Body.__struct_fields__) - OTHERWISE
EARLIER = {*ResponseFields.__struct_fields__, *TOLD} - {"max_tool_calls", "reasoning"}


def chat(raw: bytes) -> Body:
    return decode_chat_request(raw)[1]


@pytest.mark.parametrize(
    ("decode", "names", "said"),
    [
        (chat, CHAT, {"messages": [{"role": "user", "content": "Hi"}]}),
        (decode_create_response, RESPONSES - {"input", "conversation"}, {"input": "Hi"}),
        (decode_create_response, RESPONSES - {"input", "previous_response_id"}, {"input": "Hi"}),
        (decode_body, EARLIER, {"input": "Hi"}),
    ],
)
def test_each_field_reaches_the_body_under_its_name(
    decode: Callable[[bytes], Body], names: set[str], said: dict[str, Any]
) -> None:
    asked = {name: TOLD[name] for name in names}
    body = msgspec.to_builtins(decode(msgspec.json.encode({**said, **asked})))
    kept = {name: body.get(name) for name in names}
    assert kept == asked
