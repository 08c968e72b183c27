"""What cannot be: on each surface and on the queue one sentence that names it by its place."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from struct import pack
from typing import Any, Final

import pytest

from ingress.intake.submission import UnfitSubmission, submission_of
from shared.errors import ForebayError, InvalidRequest, TooLarge
from shared.messages.dead_letter import DeadReason
from shared.messages.requests.create_response import decode_create_response
from shared.queueing.reading.delivery import Delivery
from shared.surfaces.chat.request import decode_chat_request

TEXT_LIMIT: Final = 20_000
PNG: Final = b"\x89PNG\r\n\x1a\n" + b"".join(
    pack(">I", len(content)) + kind + content + b"sum."
    for kind, content in ((b"IHDR", bytes(13)), (b"IDAT", bytes(500)), (b"IEND", b""))
)
WEBP: Final = b"RIFF" + pack("<I", 104) + b"WEBP" + bytes(100)
CALL: Final = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT: Final = {"type": "function_call_output", "call_id": "c", "output": "done"}
SAID: Final = {"role": "user", "content": "Hi"}
TOOL: Final = {"type": "function", "name": "f"}
DEEP: Final[dict[str, Any]] = {}
_at = DEEP
for _ in range(200):
    _at = _at.setdefault("not", {})


def image(url: str) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url}


def data(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def file(content: str) -> dict[str, Any]:
    return {"type": "input_file", "filename": "a.pdf", "file_data": content}


def saying(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """An item before, and one with the parts."""
    return [SAID, {"role": "user", "content": [*parts]}]


CASES: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "an orphan output": ({"input": [SAID, OUTPUT]}, "input[1]", "does not stand before it"),
    "an output before its call": ({"input": [OUTPUT, CALL]}, "input[0]", "not stand before it"),
    "a call without output": ({"input": [SAID, CALL]}, "input[1]", "no output of it follows"),
    "a repeated call": ({"input": [CALL, OUTPUT, CALL]}, "input[2]", "repeats the call_id 'c'"),
    "a repeated output": ({"input": [CALL, OUTPUT, OUTPUT]}, "input[2]", "once more"),
    "half an object": (
        {"input": [SAID, {**CALL, "arguments": '{"a":'}, OUTPUT]},
        "input[1]",
        "no JSON",
    ),
    "words for arguments": ({"input": [{**CALL, "arguments": "a"}, OUTPUT]}, "input[0]", "no JSON"),
    "no image": ({"input": saying(image(data(b"words")))}, "input[1].content[0]", "no PNG"),
    "no address": ({"input": saying(image("cat.png"))}, "input[1].content[0]", "neither"),
    "a cut image": ({"input": saying(image(data(PNG[:-30])))}, "input[1].content[0]", "cut short"),
    "a cut WebP": (
        {"input": saying(image(data(WEBP[:-30], "image/webp")))},
        "input[1].content[0]",
        "cut short",
    ),
    "a cut data URL": (
        {"input": saying(image(data(PNG)[:-2]))},
        "input[1].content[0]",
        "cut short",
    ),
    "no base64": (
        {"input": saying(image(data(PNG)[:-4] + "!!!!"))},
        "input[1].content[0]",
        "not in base64",
    ),
    "a cut file": (
        {"input": saying(file(data(b"%PDF-1.7", "application/pdf")[:-3]))},
        "input[1].content[0]",
        "cut short",
    ),
    "a file of words": ({"input": saying(file("not base64!!"))}, "input[1].content[0]", "base64"),
    "a file as it is": ({"input": saying(file("data:,Hi"))}, "input[1].content[0]", "base64"),
    "an empty file": ({"input": saying(file(""))}, "input[1].content[0]", "an empty file"),
    "no file": (
        {"input": saying({"type": "input_file", "filename": "a"})},
        "input[1].content[0]",
        "one of file_id",
    ),
    "a tool that is no schema": (
        {"tools": [TOOL, {**TOOL, "name": "g", "parameters": {"type": "strin"}}]},
        "tools[1].parameters",
        "strin",
    ),
    "a tool that refers to nothing": (
        {"tools": [{**TOOL, "parameters": {"$ref": "#/a"}}]},
        "tools[0].parameters",
        "'/a'",
    ),
    "a tool nested too deep": (
        {"tools": [{**TOOL, "parameters": DEEP}]},
        "tools[0].parameters",
        "nested",
    ),
    "200 tools": (
        {"tools": [{**TOOL, "name": f"f{nth}"} for nth in range(200)]},
        "tools",
        "200 tools and 128 are taken",
    ),
    "two tools of one name": ({"tools": [TOOL, TOOL]}, "tools[1]", "another tool"),
    "a tool with spaces": ({"tools": [{**TOOL, "name": "a b"}]}, "tools[0]", "64 letters"),
    "a choice of no tool": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "g"}},
        "tool_choice",
        "not among 'tools'",
    ),
    "too much text": (
        {"input": [*saying(image(data(PNG))), {"role": "user", "content": "x" * TEXT_LIMIT}]},
        "input[2]",
        "ingress.text_limit_bytes",
    ),
    "far too large a tool": (
        {"tools": [{**TOOL, "parameters": {"enum": ["x" * 1_100_000]}}]},
        "tools",
        "larger than 1048576 bytes",
    ),
    "too large a tool": (
        {"tools": [{**TOOL, "description": "x" * TEXT_LIMIT}]},
        "tools",
        "ingress.text_limit_bytes",
    ),
}


def responses(asked: dict[str, Any]) -> Any:
    return decode_create_response(json.dumps(asked).encode(), text_limit_bytes=TEXT_LIMIT)


def chat(asked: dict[str, Any]) -> Any:
    raw = json.dumps(in_chats_words(asked)).encode()
    return decode_chat_request(raw, text_limit_bytes=TEXT_LIMIT)


def intake(asked: dict[str, Any]) -> Any:
    delivery = Delivery(body=json.dumps(asked).encode(), headers={})
    taken = submission_of(delivery, limit_bytes=2_000_000, text_limit_bytes=TEXT_LIMIT)
    return asyncio.run(taken)


def in_chats_words(asked: dict[str, Any]) -> dict[str, Any]:
    """The same body as chat has it, one message for each item."""
    told: dict[str, Any] = {"messages": [_message(item) for item in asked["input"]]}
    if "tools" in asked:
        functions = [{**tool, "type": None} for tool in asked["tools"]]
        told["tools"] = [
            {"function": {name: value for name, value in one.items() if value is not None}}
            for one in functions
        ]
    if "tool_choice" in asked:
        name = asked["tool_choice"]["name"]
        told["tool_choice"] = {"type": "function", "function": {"name": name}}
    return told


def _message(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type")
    if kind == "function_call":
        function = {"name": item["name"], "arguments": item["arguments"]}
        return {"role": "assistant", "tool_calls": [{"id": item["call_id"], "function": function}]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item["call_id"], "content": item["output"]}
    if isinstance(item["content"], str):
        return item
    return {**item, "content": [_part(part) for part in item["content"]]}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "input_image":
        return {"type": "image_url", "image_url": {"url": part["image_url"]}}
    rest = {name: value for name, value in part.items() if name != "type"}
    return {"type": "file", "file": rest}


def in_chats_places(place: str) -> str:
    return place.replace("input[", "messages[").replace("].parameters", "].function.parameters")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("decode", [responses, chat, intake])
def test_it_is_one_sentence_that_names_it_by_its_place(
    decode: Callable[[dict[str, Any]], Any], case: str
) -> None:
    fields, place, words = CASES[case]
    expected = in_chats_places(place) if decode is chat else place
    with pytest.raises(ForebayError) as refused:
        decode({"input": [SAID], **fields})
    error = refused.value
    assert isinstance(error, InvalidRequest | TooLarge | UnfitSubmission)
    assert error.param == expected
    assert words in error.message
    assert f"'{expected}" in error.message
    assert error.message.count(". ") <= 1
    too_much = "text_limit" in words or "larger" in words
    if isinstance(error, UnfitSubmission):
        assert error.reason is (DeadReason.TOO_LARGE if too_much else DeadReason.INVALID)
    else:
        assert isinstance(error, TooLarge) is too_much


@pytest.mark.parametrize("decode", [responses, chat, intake])
def test_images_and_files_are_no_text(decode: Callable[[dict[str, Any]], Any]) -> None:
    large = data(PNG[:-12] + pack(">I", 30_000) + b"IDAT" + bytes(30_004) + PNG[-12:])
    document = file(data(bytes(30_000), "application/pdf"))
    assert decode({"input": saying(image(large), document)})
