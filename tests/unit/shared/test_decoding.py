"""What is wrong with a body is said by the name of its field."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import msgspec
import pytest

from shared.decoding import convert, decode_json
from shared.errors import InvalidRequest


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    number: int


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: Inner | None = None
    items: list[Inner] = []
    names: dict[str, int] = {}


_decoder = msgspec.json.Decoder(Outer)


@pytest.mark.parametrize(
    ("body", "param", "kind"),
    [
        (b'{"name": 1}', "name", "invalid_type"),
        (b'{"name": "x", "nickname": "y"}', "nickname", "unknown_parameter"),
        (b"{}", "name", "missing_required_parameter"),
        (b'{"name": "x", "inner": {"number": "1"}}', "inner.number", "invalid_type"),
        (b'{"name": "x", "inner": {}}', "inner.number", "missing_required_parameter"),
        (b'{"name": "x", "inner": {"number": 1, "z": 1}}', "inner.z", "unknown_parameter"),
        (b'{"name": "x", "items": [{"number": 1}, {"number": []}]}', "items[1].number", None),
        (b'{"name": "x", "names": {"a": "b"}}', "names", "invalid_type"),
    ],
)
def test_a_fault_names_its_field(body: bytes, param: str, kind: str | None) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_json(_decoder, body)
    assert refused.value.param == param
    assert param in refused.value.message
    assert kind is None or refused.value.kind == kind


def test_a_value_under_a_key_of_ones_own_is_in_its_object() -> None:
    with pytest.raises(InvalidRequest, match=r"^Invalid value in 'names': Expected `int`, got"):
        decode_json(_decoder, b'{"name": "x", "names": {"a": "b"}}')


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"not json", b'"\xff"', b'{"name": "\\ud800"}', b"[" * 100_000, b"\x00"],
    ids=["empty", "cut", "words", "no utf-8", "lone surrogate", "deep", "nul"],
)
def test_what_is_not_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_json(_decoder, body)
    assert refused.value.kind in {"invalid_json", "invalid_type"}
    assert refused.value.param is None


def test_a_body_of_another_type_is_refused_without_a_field() -> None:
    with pytest.raises(InvalidRequest, match="Expected `object`") as refused:
        decode_json(_decoder, b"[1]")
    assert refused.value.param is None


def test_what_is_right_is_decoded() -> None:
    assert decode_json(_decoder, b'{"name": "x"}') == Outer("x")
    assert convert({"name": "x", "inner": {"number": 1}}, Outer) == Outer("x", Inner(1))


def test_text_is_a_number_only_where_that_was_asked_for() -> None:
    assert convert("7", int, strict=False) == 7
    with pytest.raises(InvalidRequest):
        convert("7", int)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Square(msgspec.Struct, tag="square"):
    colour: Colour


class Circle(msgspec.Struct, tag="circle"):
    colour: Colour


class Painted(msgspec.Struct):
    colour: Colour | None = None
    layers: list[Literal["thick", "thin"]] = []
    beside: dict[str, Painted] = {}
    shapes: list[Square | Circle] = []
    coats: Mapping[Colour, int] | None = None


@pytest.mark.parametrize(
    ("body", "param", "values"),
    [
        (b'{"colour":"rot"}', "colour", "red, blue"),
        (b'{"layers":["thin","none"]}', "layers[1]", "thick, thin"),
        (b'{"beside":{"a":{"colour":""}}}', "beside[].colour", "red, blue"),
        (b'{"shapes":[{"type":"square","colour":""}]}', "shapes[0].colour", "red, blue"),
        (b'{"shapes":[{"type":"line"}]}', "shapes[0].type", "square, circle"),
        (b'{"coats":{"pink":1}}', "coats", "red, blue"),
    ],
)
def test_a_fault_among_few_values_tells_them(body: bytes, param: str, values: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        decode_json(msgspec.json.Decoder(Painted), body)
    assert refused.value.param == param
    assert refused.value.message.endswith(f"Use one of: {values}.")
