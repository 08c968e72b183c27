"""Tools and the choice among them: what is taken, and which sentence names what is not."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest
from shared.messages.body import Body, encode_body
from shared.messages.record import MessageRecord
from shared.messages.requests.create_response import CreateResponse, body_of
from shared.messages.response import response_object
from shared.messages.tool import ToolChoice
from tests.queued_message import queued_message

TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def read(**fields: Any) -> Body:
    """The body with what no provider is given yet."""
    raw = json.dumps({"input": "Hi", **fields}).encode()
    return body_of(msgspec.json.decode(raw, type=CreateResponse))


@pytest.mark.parametrize(
    ("tools", "choice", "param", "words"),
    [
        ([TOOL] * 129, None, "tools", "has 129 tools"),
        ([TOOL, TOOL], None, "tools[1]", "of another tool"),
        ([{**TOOL, "name": "a b"}], None, "tools[0]", "letters, digits"),
        (
            [TOOL, {"name": "g", "parameters": {"type": "strin"}}],
            None,
            "tools[1].parameters",
            "no usable JSON Schema",
        ),
        ([], "required", "tool_choice", "offers none"),
        ([TOOL], {"type": "function", "name": "g"}, "tool_choice", "not among"),
        ([TOOL], {"type": "function"}, "tool_choice.name", "Missing"),
        ([TOOL], {"type": "allowed_tools", "mode": "auto"}, "tool_choice.tools", "Missing"),
    ],
)
def test_what_is_wrong_with_tools_is_one_sentence_that_names_it(
    tools: list[Any], choice: Any, param: str, words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words) as refused:
        read(tools=tools, tool_choice=choice)
    assert refused.value.param == param


@pytest.mark.parametrize(
    ("choice", "meant"),
    [
        (None, None),
        ("auto", None),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
            ToolChoice("auto", ["f"]),
        ),
    ],
)
def test_a_choice_of_tools_has_one_spelling(choice: Any, meant: ToolChoice | None) -> None:
    assert read(tools=[TOOL], tool_choice=choice).tool_choice == meant


@pytest.mark.parametrize(
    "choice",
    [
        "auto",
        "none",
        "required",
        {"type": "function", "name": "f"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    ],
)
def test_a_response_tells_what_was_asked_in_the_words_of_responses(choice: Any) -> None:
    asked = {"parallel_tool_calls": False, "reasoning": {"effort": "low"}}
    body = read(tools=[{**TOOL, "strict": True}], tool_choice=choice, **asked)
    told = msgspec.to_builtins(response_object(_record(body)))
    assert told["tools"] == [{**TOOL, "description": None, "strict": True}]
    assert (told["tool_choice"], told["reasoning"]) == (choice, {"effort": "low"})
    assert told["parallel_tool_calls"] is False
    assert "reasoning" not in msgspec.to_builtins(response_object(_record(read())))


def _record(body: Body) -> MessageRecord:
    return queued_message(body=encode_body(body).decode())


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_where_no_tool_is_offered_none_need_be_forbidden(choice: str | None) -> None:
    assert read(tool_choice=choice) == read()
