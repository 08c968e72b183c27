"""A large body is decoded without its images, and means what it would have meant with them."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any

import pytest

from shared import decoding
from shared.decoding import CutJson, Json, cut_json, whole_json
from shared.errors import InvalidRequest
from shared.messages.body import encode_body
from shared.messages.requests.create_response import decode_create_response

LONG = b64encode(b"\xff\xd8\xff" + bytes(range(256)) * 40).decode()
IMAGE = {"type": "input_image", "image_url": f"data:image/jpeg;base64,{LONG}"}
FILE = {"type": "input_file", "file_data": LONG}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a test is quick: whatever is longer than 400 bytes is long."""
    monkeypatch.setattr(decoding, "LARGE_BYTES", 100)
    monkeypatch.setattr(decoding, "_LONG_BYTES", 400)
    monkeypatch.setattr(decoding, "_WINDOW_BYTES", 100)
    monkeypatch.setattr(decoding, "_PIECE_BYTES", 128)


def cut(raw: bytes) -> Json:
    return asyncio.run(cut_json(raw))


def asked(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [*parts]}], **more}


CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
SHORT: dict[str, Any] = {"type": "input_text", "text": "Hi"}
CUT = {
    "an image": asked(IMAGE),
    "two, and text between": asked(IMAGE, SHORT, IMAGE, FILE),
    "one that a tool gave": {
        "input": [CALL, {"type": "function_call_output", "call_id": "c", "output": [IMAGE]}]
    },
}
UNCUT = {
    "text": asked({"type": "input_text", "text": "many words " * 100}),
    "escapes": asked({"type": "input_text", "text": "\n" + LONG}),
    "two bytes a letter, cut in between": asked({"type": "input_text", "text": "x" + "é" * 600}),
}
WHOLE = {
    "text that looks like an image": asked({"type": "input_text", "text": LONG}),
    "an image and such a text": asked(IMAGE, {"type": "input_text", "text": LONG}),
    "instructions": asked(SHORT, instructions=LONG),
    "a word of a schema": asked(
        SHORT, tools=[{"type": "function", "name": "f", "parameters": {"description": LONG}}]
    ),
    "a key of a schema": asked(
        SHORT, tools=[{"type": "function", "name": "f", "parameters": {"properties": {LONG: {}}}}]
    ),
}


@pytest.mark.parametrize("what", [*CUT, *UNCUT, *WHOLE])
def test_what_is_cut_is_the_same_body(what: str) -> None:
    raw = json.dumps((CUT | UNCUT | WHOLE)[what], ensure_ascii=False).encode()
    there = cut(raw)
    assert whole_json(there) == raw
    assert isinstance(there, CutJson) is (what not in UNCUT)
    body = decode_create_response(there)
    assert body == decode_create_response(raw)
    assert encode_body(body) == encode_body(decode_create_response(raw))


@pytest.mark.parametrize("what", CUT)
def test_images_and_files_are_not_decoded_with_the_rest(what: str) -> None:
    there = cut(json.dumps(CUT[what]).encode())
    assert isinstance(there, CutJson)
    assert LONG[10:60].encode() not in there.short
    assert len(there.short) < 1_500


RAW = json.dumps(asked(IMAGE))
BAD = {
    "a control character in it": RAW.replace(LONG, LONG[:300] + "\x01" + LONG[300:]),
    "a line break in it": RAW.replace(LONG, LONG[:300] + "\n" + LONG[300:]),
    "no end": RAW[:-200],
    "a field of that name": json.dumps({LONG: 1, **asked(IMAGE)}),
    "a model of that name": json.dumps(asked(IMAGE, model=LONG)),
    "metadata of that length": json.dumps(asked(IMAGE, metadata={"a": LONG})),
    "metadata of that name": json.dumps(asked(IMAGE, metadata={LONG: "a"})),
    "digits between two strings": RAW[:-1] + ',"metadata":{"a":' + "1" * 900 + ',"b":"c"}}',
    "blanks, and then a fault": RAW[:-1] + ',"loud":' + "\n" * 900 + '"x"}',
    "an image that is none": json.dumps(asked({**IMAGE, "image_url": LONG})),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_the_same_fault(what: str) -> None:
    raw = BAD[what].encode()
    told = []
    for body in (raw, cut(raw)):
        with pytest.raises(InvalidRequest) as refused:
            decode_create_response(body)
        told.append((refused.value.message, refused.value.param))
    assert told[0] == told[1]


def test_of_a_repeated_field_the_last_counts_here_too() -> None:
    twice = RAW.replace('"image_url"', f'"image_url": "{"A" * 800}", "image_url"')
    assert decode_create_response(cut(twice.encode())) == decode_create_response(RAW.encode())


def test_others_have_their_turn_between_the_pieces() -> None:
    async def turns() -> int:
        cutting = asyncio.ensure_future(cut_json(RAW.encode()))
        count = 0
        while not cutting.done():
            count += 1
            await asyncio.sleep(0)
        return count

    assert asyncio.run(turns()) > len(LONG) / 128
