"""What of a body of POST /v1/messages is refused, and by which name."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import msgspec
import pytest

from shared.errors import InvalidRequest, TooLarge
from shared.surfaces.messages.request import decode_count_tokens, decode_messages_request
from tests.unit.shared.surfaces.messages_bodies import HI, TOOL, document, refusal, text


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"top_k": -1}, "top_k"),
        ({"container": "c"}, "container"),
        ({"context_management": {"edits": []}}, "context_management"),
        ({"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
        ({"seed": 1}, "seed"),
        ({"metadata": {"topic": "x"}}, "metadata.topic"),
        ({"metadata": {"user_id": "a\0"}}, "metadata.user_id"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": 1.5}, "temperature"),
        ({"stop_sequences": ["a", "b", "c", "d", "e"]}, "stop_sequences"),
        ({"service_tier": "gold"}, "service_tier"),
        ({"messages": []}, "messages"),
        ({"messages": [HI, {"role": "tool", "content": "x"}]}, "messages[1].role"),
        ({"messages": [HI, {"role": "user", "content": []}]}, "messages[1].content"),
        ({"system": [text("a"), {"type": "image"}]}, "system[1]"),
        ({"tools": [TOOL, {"type": "web_search_20250305", "name": "w"}]}, "tools[1]"),
        ({"tools": [{**TOOL, "max_uses": 3, "type": "bash_20250124"}]}, "tools[0]"),
        ({"tools": [{**TOOL, "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{**TOOL, "input_examples": [{}]}]}, "tools[0].input_examples"),
        ({"tools": [{**TOOL, "input_schema": {"type": 3}}]}, "tools[0].input_schema"),
        ({"tools": [TOOL, TOOL]}, "tools[1]"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"tools": [TOOL], "tool_choice": {"type": "any", "name": "add"}}, "tool_choice.name"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"thinking": {"type": "adaptive", "budget_tokens": 2000}}, "thinking.budget_tokens"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_cannot_be_done_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    assert refusal(**fields).param == param


@pytest.mark.parametrize(
    ("block", "place"),
    [
        ({"type": "server_tool_use", "id": "x"}, ""),
        ({"type": "tool_use", "id": "c", "name": "n", "input": {}}, ""),
        ({"type": "tool_result", "tool_use_id": "c", "content": "x"}, ""),
        (text("x", texte="y"), ".texte"),
        ({"type": "image", "source": {"type": "url", "url": "ftp://x"}}, ""),
        (
            {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "search_result"}]},
            ".content[0]",
        ),
        (document({"type": "content", "content": "x"}), ".source.type"),
        (document({"type": "url", "url": "file:///etc/passwd"}), ""),
        (document({"type": "base64", "media_type": "application/pdf", "data": "JVB"}), ""),
        (
            document({"type": "url", "url": "https://x"}, citations={"enabled": True}),
            ".citations",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_block_that_cannot_be_had_is_refused_by_its_place(
    block: dict[str, Any], place: str
) -> None:
    talk = [HI, {"role": "user", "content": [text("x"), block]}]
    error = refusal(messages=talk)
    assert error.param == f"messages[1].content[1]{place}"
    assert f"'{error.param}'" in error.message


def test_no_depth_of_input_is_more_than_a_refusal() -> None:
    call = b'{"role":"assistant","content":[{"type":"tool_use","id":"c","name":"n","input":%b}]}'
    for depth in (10, *range(800, 1000)):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        raw = b'{"max_tokens":9,"messages":[{"role":"user","content":"x"},%b]}' % (call % deep)
        with pytest.raises(InvalidRequest):
            decode_messages_request(raw)


def test_more_text_than_the_limit_is_refused_and_images_are_no_text() -> None:
    image = b64encode(b"GIF89a" + bytes(3000)).decode()
    source = {"type": "base64", "media_type": "image/gif", "data": image}
    said = [{"type": "image", "source": source}, text("x")]
    large = msgspec.json.encode({"max_tokens": 9, "messages": [{"role": "user", "content": said}]})
    assert decode_messages_request(large, text_limit_bytes=1000)
    long = msgspec.json.encode({"messages": [HI], "system": "x" * 1000})
    with pytest.raises(TooLarge, match="'system' is the longest"):
        decode_count_tokens(long, text_limit_bytes=1000)
