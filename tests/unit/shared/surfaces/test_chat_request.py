"""Chat's words for tools and images are the same items as those of Responses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import InvalidRequest
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.item import FunctionCall, FunctionCallOutput, MessageItem, Role
from shared.messages.part import CacheBreakpoint, InputTextPart
from shared.messages.requests.create_response import decode_create_response
from shared.messages.tool import FunctionTool
from shared.surfaces.chat.request import decode_chat_request

WEB = "https://example.org/cat.png"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def call(call_id: str) -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def tool(call_id: str, content: Any = "done") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def chat(*messages: dict[str, Any], **fields: Any) -> Body:
    return decode_chat_request(json.dumps({"messages": messages, **fields}).encode())[1]


def calling(*call_ids: str) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": [call(one) for one in call_ids]}


def test_a_conversation_with_tools_is_the_same_body_on_both_surfaces() -> None:
    picture = {"type": "image_url", "image_url": {"url": WEB, "detail": "low"}}
    spoken = chat(
        {"role": "user", "content": [{"type": "text", "text": "Where?"}, picture]},
        {**calling("a", "b"), "content": "Let me see."},
        tool("a"),
        tool("b", [{"type": "text", "text": "nothing"}]),
        tools=[{"type": "function", "function": {"name": "f", "parameters": SCHEMA}}],
        tool_choice={"type": "function", "function": {"name": "f"}},
        reasoning_effort="low",
        parallel_tool_calls=False,
    )
    parts = [
        {"type": "input_text", "text": "Where?"},
        {"type": "input_image", "image_url": WEB, "detail": "low"},
    ]
    calls = [
        {"type": "function_call", "call_id": one, "name": "f", "arguments": "{}"} for one in "ab"
    ]
    outputs = [
        {"type": "function_call_output", "call_id": one, "output": output}
        for one, output in (("a", "done"), ("b", "nothing"))
    ]
    written = {
        "input": [
            {"role": "user", "content": parts},
            {"role": "assistant", "content": "Let me see."},
            *calls,
            *outputs,
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
        "tool_choice": {"type": "function", "name": "f"},
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": False,
    }
    responses = decode_create_response(json.dumps(written).encode())
    assert spoken == responses
    assert body_digest(spoken, encode_body(spoken)) == body_digest(responses)


@pytest.mark.parametrize(
    ("messages", "param", "words"),
    [
        ([calling("a"), tool("a"), tool("b")], "messages[2]", "does not stand before it"),
        ([calling("a", "a"), tool("a")], "messages[0]", "repeats the call_id 'a'"),
        ([calling("a", "b"), tool("a")], "messages[0]", "'b', and no output of it follows"),
        ([{"role": "tool", "content": "x"}], "messages[0].tool_call_id", "Missing"),
        ([{**calling("a"), "role": "user"}], "messages[0].tool_calls", "Unknown"),
        (
            [{"role": "user", "content": "x", "tool_call_id": "a"}],
            "messages[0].tool_call_id",
            "Unknown",
        ),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "cat"}}]}],
            "messages[0].content[0]",
            "neither",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "image_url": {"url": WEB}}]}],
            "messages[0].content[0].text",
            "Missing",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": "x", "refusal": "y"}]}],
            "messages[0].content[0].refusal",
            "Unknown",
        ),
    ],
)
def test_what_is_wrong_is_said_with_the_message_that_it_stands_in(
    messages: list[Any], param: str, words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        chat(*messages)
    assert refused.value.param == param


def part(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [fields]}]}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        (part(type="input_audio", input_audio={}), "messages[0].content[0]"),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0]"),
        (
            {"messages": [{**calling("a"), "tool_calls": [{"id": "a", "type": "custom"}]}]},
            "messages[0].tool_calls[0]",
        ),
        (
            {"messages": [{"role": "assistant", "function_call": {"name": "f"}}]},
            "messages[0].function_call",
        ),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, "tools[0]"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "c"}}}, "tool_choice"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"modalities": "text"}, "modalities"),
        ({"audio": {"voice": "v"}}, "audio"),
        ({"n": 2}, "n"),
        ({"moderation": {}}, "moderation"),
        ({"prediction": {}}, "prediction"),
        ({"web_search_options": {}}, "web_search_options"),
    ],
)
def test_what_is_not_supported_is_one_sentence_that_says_what_to_leave_out(
    fields: dict[str, Any], param: str
) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    with pytest.raises(InvalidRequest, match=r"[Rr]emove it|leave '\w+' out") as refused:
        decode_chat_request(json.dumps(asked).encode())
    assert (refused.value.kind, refused.value.param) == ("unsupported_parameter", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"reasoning_effort": "a lot"}, "reasoning_effort"),
        ({"messages": [{**calling("a"), "tool_calls": [{}]}]}, "messages[0].tool_calls[0].id"),
        (part(type="image_url", image_url={}), "messages[0].content[0].image_url.url"),
        (part(type="file", file={}), "messages[0].content[0]"),
    ],
)
def test_what_is_malformed_is_named_by_its_field(fields: dict[str, Any], param: str) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    with pytest.raises(InvalidRequest) as refused:
        decode_chat_request(json.dumps(asked).encode())
    assert refused.value.param == param
    assert refused.value.kind != "unsupported_parameter"


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({}, None),
        ({"logprobs": False}, None),
        ({"logprobs": None, "top_logprobs": 0}, None),
        ({"logprobs": True}, 0),
        ({"logprobs": True, "top_logprobs": 20}, 20),
    ],
)
def test_log_probabilities_are_asked_for(fields: dict[str, Any], wanted: int | None) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    assert decode_chat_request(json.dumps(asked).encode())[1].top_logprobs == wanted


@pytest.mark.parametrize(
    "fields",
    [
        {"top_logprobs": 2},
        {"logprobs": False, "top_logprobs": 2},
        {"logprobs": True, "top_logprobs": 21},
        {"logprobs": True, "top_logprobs": -1},
    ],
)
def test_likely_tokens_come_with_log_probabilities_alone(fields: dict[str, Any]) -> None:
    asked = {"messages": [{"role": "user", "content": "Hi"}], **fields}
    with pytest.raises(InvalidRequest, match="'top_logprobs'") as refused:
        decode_chat_request(json.dumps(asked).encode())
    assert refused.value.param == "top_logprobs"


def test_no_tools_need_no_choice() -> None:
    user = {"role": "user", "content": "Hi"}
    assert chat(user, tools=[], tool_choice="none") == chat(user, tool_choice="auto") == chat(user)


def test_words_and_a_refusal_beside_them_are_both_kept() -> None:
    body = chat({"role": "assistant", "content": "Well.", "refusal": "No."})
    assert [item.text() for item in body.input] == ["Well.\n\nNo."]
    body = chat({"role": "assistant", "content": "", "refusal": "No."})
    assert [item.text() for item in body.input] == ["No."]


def test_up_to_where_a_prompt_may_be_kept_is_in_the_body() -> None:
    kept = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    long, short = CacheBreakpoint("ephemeral", "1h"), CacheBreakpoint("ephemeral")
    text = {"type": "text", "text": "Hi"}
    function = {"type": "function", "function": {"name": "f"}}
    body = chat(
        {"role": "user", "content": "Hi", **kept},
        {**calling("a"), **kept},
        {**tool("a"), **kept},
        {"role": "user", "content": [{**text, "prompt_cache_breakpoint": {"mode": "explicit"}}]},
        tools=[function],
    )
    assert body.input == [
        MessageItem(Role.USER, [InputTextPart("Hi", long)]),
        FunctionCall("a", "f", "{}", cache_control=long),
        FunctionCallOutput("a", "done", cache_control=long),
        MessageItem(Role.USER, [InputTextPart("Hi", short)]),
    ]
    offered = chat({"role": "user", "content": "Hi"}, tools=[{**function, **kept}])
    assert offered.tools == [FunctionTool("f", cache_control=long)]
    assert [item.digest() for item in body.input[:1]] == [
        item.digest() for item in chat({"role": "user", "content": "Hi"}).input
    ]


def test_a_breakpoint_of_another_kind_is_refused_by_its_place() -> None:
    text = {"type": "text", "text": "Hi"}
    with pytest.raises(InvalidRequest) as refused:
        chat({"role": "user", "content": [{**text, "cache_control": {"type": "lasting"}}]})
    assert refused.value.param == "messages[0].content[0].cache_control.type"
