"""Large content is kept beside its body, and the message stays the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from shared.accepting.arrival import keep
from shared.errors import InvalidRequest
from shared.large_content import (
    APART_CHARACTERS,
    ContentReference,
    pieces_of,
    reference_to,
    text_of,
)
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.item import FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import CacheBreakpoint, FilePart, ImagePart, InputTextPart, OutputTextPart
from shared.messages.requests.create_response import decode_create_response
from shared.messages.stored_body import (
    KeptBody,
    decode_body,
    has_references,
    references_in,
    with_contents,
)

IMAGE = ImagePart("data:image/png;base64," + "iVBO" * APART_CHARACTERS, detail="low")
OTHER = ImagePart("DATA:image/png;base64," + "iVBR" * APART_CHARACTERS)
FILE = FilePart(file_data="JVBE" * APART_CHARACTERS, filename="a.pdf")
ODD = FilePart(file_data='ä😀"\\\n\0\x7f/' * 60_000)
SMALL = ImagePart("data:image/png;base64," + "i" * (APART_CHARACTERS - 23))
SAYS = InputTextPart("What is this?")


def user(*parts: Any) -> MessageItem:
    return MessageItem(Role.USER, list(parts))


def restored(kept: KeptBody) -> list[Item]:
    texts = {digest: text_of(pieces) for digest, pieces in kept.contents.items()}
    return [with_contents(item, texts) for item in decode_body(kept.raw).input]


@pytest.mark.parametrize(
    "items",
    [
        [user(SAYS, IMAGE)],
        [user(IMAGE, SAYS, OTHER, IMAGE), user(FILE)],
        [user(ODD)],
        [user(replace(IMAGE, cache_control=CacheBreakpoint("ephemeral", "1h")), SAYS)],
        [user(SMALL, IMAGE, ImagePart("https://a.example/b.png"), ImagePart(file_id="file-1"))],
        [FunctionCallOutput("call_1", [SAYS, IMAGE]), FunctionCallOutput("call_2", "x")],
        [user(IMAGE), MessageItem(Role.ASSISTANT, [OutputTextPart("x", [{"b": 1, "a": 2}])])],
    ],
)
async def test_it_is_the_same_message_and_comes_back_as_it_was(items: list[Item]) -> None:
    body = Body(input=items, metadata={"b": "1", "a": "2"})
    kept = await keep(body)
    assert kept.contents
    assert kept.digest == body_digest(body)
    assert kept.size == len(encode_body(body))
    assert len(kept.raw) < APART_CHARACTERS * 1.1
    assert restored(kept) == items
    assert {each.digest for each in references_in(decode_body(kept.raw).input)} == {*kept.contents}


async def test_what_costs_little_stays_in_the_body() -> None:
    small, long = Body(input=[user(SAYS, *[SMALL] * 20)]), Body.says("word " * 100_000)
    for body in (Body.says("x"), small, long):
        raw, kept = encode_body(body), await keep(body)
        assert (kept.raw, kept.size, kept.contents) == (raw, len(raw), {})
        assert kept.digest in (None, body_digest(body))


async def test_a_reference_weighs_what_it_stands_for() -> None:
    whole = Body(input=[user(SAYS, IMAGE, FILE)])
    referring = decode_body((await keep(whole)).raw)
    for of in (Body.tokens, Body.attached_bytes):
        assert of(referring) == of(whole)
    (item,), (other,) = whole.input, referring.input
    assert (other.size(), other.tokens()) == (item.size(), item.tokens())


async def test_an_item_is_known_again_however_it_is_kept() -> None:
    for item in (user(SAYS, IMAGE), FunctionCallOutput("call_1", [FILE])):
        (kept,) = decode_body((await keep(Body(input=[item]))).raw).input
        assert kept != item
        assert kept.digest() == item.digest() != user(SAYS, OTHER).digest()


async def test_a_body_without_references_need_not_be_decoded_to_see_that() -> None:
    assert has_references((await keep(Body(input=[user(IMAGE)]))).raw.decode())
    said = Body.says('{"content":{"digest":"x","size":1}}')
    assert not has_references(encode_body(said).decode())


@pytest.mark.parametrize("part", [IMAGE, FILE])
def test_nobody_can_send_a_reference(part: ImagePart | FilePart) -> None:
    reference = {"digest": "d", "size": 1}
    for sent in (
        {"type": part.kind, "content": reference},
        {"type": part.kind, "content": reference, "file_id": "file-1"},
    ):
        body = {"input": [{"role": "user", "content": [sent]}]}
        with pytest.raises(InvalidRequest) as refused:
            decode_create_response(json.dumps(body).encode())
        assert refused.value.param == "input[0].content[0].content"


def test_the_digest_of_content_is_none_that_a_file_could_have() -> None:
    reference = reference_to("abc", pieces_of("abc"))
    assert reference == ContentReference("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0", 3)
