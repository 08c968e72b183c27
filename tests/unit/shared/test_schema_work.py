"""No schema of a caller's keeps a worker busy, whatever it is held against."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import InvalidRequest
from shared.messages.answer_format import JsonBySchema
from shared.schema_work import SchemaWork

TOO_DEEP = "it is too deeply nested to be held against its schema"
LONGEST_SECONDS = 30.0
"""Of a slow machine; without a bound these take days."""


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def twice(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"properties": {"a": each}, "required": ["b"]} for each in [schema] * 2]}


def chain(end: dict[str, Any]) -> dict[str, Any]:
    links = {f"l{n}": {"anyOf": [{"$ref": f"#/$defs/l{n + 1}"}] * 2} for n in range(30)}
    return {"$ref": "#/$defs/l0", "$defs": {**links, "l30": end}}


ITSELF = {"$ref": "#"}
AGAIN = {"$ref": "#/$defs/again"}
BOMBS = {
    "alternatives of itself": (twice(ITSELF), nested(40)),
    "behind the name of a value": (
        {"properties": {"default": twice(AGAIN)}, "$defs": {"again": twice(AGAIN)}},
        f'{{"default":{nested(40)}}}',
    ),
    "inside a value": ({"enum": [twice({"$ref": "#/enum/0"})], "$ref": "#/enum/0"}, nested(40)),
    "by an anchor": (
        {"$defs": {"again": {"$anchor": "x", **twice({"$ref": "#x"})}}, "$ref": "#x"},
        nested(40),
    ),
    "by its own name": ({"$id": "https://a.example/s", **twice(ITSELF)}, nested(40)),
    "a chain of references": (chain({"type": "string"}), "{}"),
    "what is not evaluated": (
        {"anyOf": [ITSELF], "unevaluatedProperties": False},
        nested(3),
    ),
    "for every name": (
        {"anyOf": [{"additionalProperties": ITSELF, "minProperties": 9}] * 2},
        nested(40),
    ),
    "in lists": ({"anyOf": [{"items": ITSELF, "minItems": 9}] * 2}, "[" * 40 + "]" * 40),
}


@pytest.mark.parametrize(("schema", "text"), BOMBS.values(), ids=BOMBS)
def test_a_check_that_would_not_end_is_not_begun(schema: dict[str, Any], text: str) -> None:
    began = time.monotonic()
    assert JsonBySchema(schema).problem(text) == TOO_DEEP
    assert time.monotonic() - began < LONGEST_SECONDS


def test_a_schema_that_names_a_part_of_itself_is_refused_by_name() -> None:
    schema = {"$defs": {"part": {"$id": "https://a.example/part", "$ref": "#/x"}}}
    with pytest.raises(InvalidRequest, match=r"'tools\[0\]' has an '\$id' inside"):
        JsonBySchema(schema, param="tools[0]")


def test_recursion_and_alternatives_as_people_write_them_are_checked() -> None:
    leaf = {"type": "object", "properties": {"value": {"type": "number"}}, "required": ["value"]}
    node = {"type": "object", "properties": {"left": AGAIN, "right": AGAIN}, "required": ["left"]}
    schema = {"$defs": {"again": {"anyOf": [leaf, node, {"type": "null"}]}}, "$ref": AGAIN["$ref"]}
    tree: Any = {"value": 1}
    for _ in range(9):
        tree = {"left": tree, "right": tree}
    form = JsonBySchema(schema)
    assert form.problem(json.dumps(tree)) is None
    assert form.problem(json.dumps({"right": {"value": 1}})) == "the whole breaks $defs/again/anyOf"
    assert form.problem(json.dumps({"left": tree, "right": 1})) == "it breaks its schema"


def test_a_long_list_of_a_plain_schema_has_no_bound() -> None:
    schema = {
        "type": "array",
        "items": {"type": "object", "properties": {"a": {"type": "integer"}}},
    }
    assert JsonBySchema(schema).problem(json.dumps([{"a": 1}] * 100_000)) is None


values = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab$#/", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$ref", "anyOf", "not", "items", "properties", "$defs", "a", "if"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    schema=st.dictionaries(
        st.sampled_from(["$ref", "anyOf", "properties", "patternProperties", "dependencies"]),
        values,
        min_size=1,
    ),
    value=values,
)
def test_no_schema_breaks_the_count(schema: object, value: object) -> None:
    work = SchemaWork(schema)
    few, many = work.is_within(50, value), work.is_within(500, value)
    assert many or not few
