"""What stands in a ledger is read, whichever version of Forebay put it there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.messages.body import Body, TextFormat, TextOptions, body_digest, encode_body
from shared.messages.item import MessageItem, Role
from shared.messages.part import InputTextPart, OutputTextPart
from shared.messages.requests.create_response import decode_create_response
from shared.messages.stored_body import decode_body, is_streamed

SCHEMA = {"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "number"}}}
EARLIER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"input": "Hi"}, {}),
    ({"input": [{"role": "user", "content": "Hi"}]}, {}),
    ({"input": [{"type": "message", "role": "user", "content": "Hi"}]}, {}),
    ({"input": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]}, {}),
    ({"input": "Hi", "stream": None, "tools": [], "tool_choice": "auto"}, {}),
    ({"input": "Hi", "store": True, "background": False, "truncation": "auto"}, {}),
    ({"input": "Hi", "text": {"format": {"type": "text"}}, "metadata": {}}, {}),
    ({"input": "Hi", "conversation": {"id": "conv_1"}}, {"conversation": "conv_1"}),
    ({"input": "Hi", "stop": "END", "seed": 3}, {"stop": ["END"], "seed": 3}),
    (
        {"input": "Hi", "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}},
        {"text": TextOptions(TextFormat("json_schema", "n", SCHEMA))},
    ),
]


@pytest.mark.parametrize(("earlier", "fields"), EARLIER)
def test_the_row_of_an_earlier_version_is_the_message_that_it_was(
    earlier: dict[str, Any], fields: dict[str, Any]
) -> None:
    body = decode_body(msgspec.json.encode(earlier))
    wanted = msgspec.structs.replace(Body.says("Hi"), **fields)
    assert body == wanted
    assert body_digest(body) == body_digest(wanted)
    assert decode_body(encode_body(body)) == body


def test_the_parts_of_an_earlier_row_keep_their_order_and_what_they_refer_to() -> None:
    cited = {"type": "output_text", "text": "two", "annotations": [{"type": "url_citation"}]}
    said = [{"role": "assistant", "content": [{"text": "one"}, cited], "id": "msg_1"}]
    body = decode_body(msgspec.json.encode({"input": said}))
    parts: list[Any] = [OutputTextPart("one"), OutputTextPart("two", [{"type": "url_citation"}])]
    assert body.input == [MessageItem(Role.ASSISTANT, parts, "msg_1")]


def test_a_row_that_is_no_body_is_reported_and_not_guessed_at() -> None:
    for raw in (b"{}", b'{"input":3}', b"", b'{"shape":"items"}', b'{"shape":"cube","input":[]}'):
        with pytest.raises(msgspec.DecodeError):
            decode_body(raw)


def test_a_schema_keeps_the_order_of_its_properties_and_is_known_again_in_any() -> None:
    def asked(properties: dict[str, Any]) -> Body:
        form = {"type": "json_schema", "name": "n", "schema": {"properties": properties}}
        return decode_create_response(msgspec.json.encode({"input": "x", "text": {"format": form}}))

    one, other = asked({"z": True, "a": False}), asked({"a": False, "z": True})
    assert b'{"z":true,"a":false}' in encode_body(one)
    assert b'{"a":false,"z":true}' in encode_body(other)
    assert body_digest(one, encode_body(one)) == body_digest(other, encode_body(other))
    assert body_digest(one) != body_digest(asked({"z": True, "a": True}))


def test_a_note_beside_a_text_is_known_again_in_any_order_of_its_keys() -> None:
    def answered(note: dict[str, Any]) -> Body:
        return Body(input=[MessageItem(Role.ASSISTANT, [OutputTextPart("x", [note])])])

    one, other = answered({"a": 1, "b": 2}), answered({"b": 2, "a": 1})
    assert body_digest(one, encode_body(one)) == body_digest(other, encode_body(other))


def test_whether_it_is_streamed_is_read_without_the_rest() -> None:
    assert is_streamed(encode_body(decode_create_response(b'{"input":"x","stream":true}')))
    assert not is_streamed(encode_body(Body.says("x")))
    assert not is_streamed(b'{"input":"x","stream":null}')


def test_several_texts_of_one_message_stay_apart() -> None:
    raw = b'{"input":[{"role":"user","content":[{"text":"one"},{"text":"two"}]}]}'
    body = decode_create_response(raw)
    assert body.input == [MessageItem(Role.USER, [InputTextPart("one"), InputTextPart("two")])]
    joined = Body.says("one\n\ntwo")
    assert body.input[0].text() == joined.input[0].text()
    assert body.input[0].digest() != joined.input[0].digest()
    assert body_digest(body) != body_digest(joined)
