"""The same message is the same body, in whatever surface, order and spacing it was written."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingress.intake.submission import submission_of
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.requests.create_response import decode_create_response
from shared.messages.stored_body import decode_body
from shared.queueing.reading.delivery import Delivery
from shared.surfaces.chat.request import decode_chat_request

LIMIT = 1_000_000
texts = st.text(min_size=1, max_size=20)
talks = st.lists(
    st.tuples(
        st.sampled_from(["system", "developer", "user", "assistant"]),
        st.lists(texts, min_size=1, max_size=3),
    ),
    min_size=1,
    max_size=5,
)
options = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["small", "gpt-5"]),
        "temperature": st.sampled_from([0, 0.5, 1.0]),
        "top_p": st.sampled_from([0, 1]),
        "store": st.booleans(),
        "service_tier": st.sampled_from(["auto", "flex"]),
        "user": texts,
        "prompt_cache_key": texts,
        "parallel_tool_calls": st.booleans(),
        "metadata": st.dictionaries(texts, texts, max_size=4),
    },
)
formats = st.sampled_from(
    [
        None,
        {"type": "text"},
        {"type": "json_object"},
        {"type": "json_schema", "name": "n", "schema": {"b": {"d": 1, "c": 2}, "a": True}},
    ]
)


def responses(raw: bytes) -> Body:
    return decode_create_response(raw)


def chat(raw: bytes) -> Body:
    return decode_chat_request(raw)[1]


def intake(raw: bytes) -> Body:
    return asyncio.run(submission_of(Delivery(body=raw, headers={}), limit_bytes=LIMIT)).body


@settings(deadline=None)
@given(data=st.data(), talk=talks, fields=options, form=formats, limit=st.none() | st.just(9))
def test_every_surface_and_every_order_of_keys_is_one_body(
    data: st.DataObject,
    talk: list[tuple[str, list[str]]],
    fields: dict[str, Any],
    form: dict[str, Any] | None,
    limit: int | None,
) -> None:
    asked = {**fields, "max_output_tokens": limit, "text": {"format": form}}
    asked["input"] = [_item(data, role, said) for role, said in talk]
    first = responses(_written(data, asked))
    assert _same(first, responses(_written(data, asked)))
    assert _same(first, intake(_written(data, asked)))
    asked = {**fields, data.draw(st.sampled_from(["max_tokens", "max_completion_tokens"])): limit}
    asked["messages"] = [_message(data, role, said) for role, said in talk]
    asked["response_format"] = _chat_format(form)
    assert _same(first, chat(_written(data, asked)))
    assert decode_body(encode_body(first)) == first


def _same(one: Body, other: Body) -> bool:
    digests = {body_digest(body, encode_body(body)) for body in (one, other)}
    return one == other and len(digests) == 1


def _item(data: st.DataObject, role: str, said: list[str]) -> dict[str, Any]:
    kinds = st.sampled_from(["output_text" if role == "assistant" else "input_text", "text"])
    parts = [{"type": data.draw(kinds), "text": text, "annotations": []} for text in said]
    item = {"role": role, "content": _content(data, said, parts)}
    return {"type": "message", **item} if data.draw(st.booleans()) else item


def _message(data: st.DataObject, role: str, said: list[str]) -> dict[str, Any]:
    parts = [{"type": "text", "text": text} for text in said]
    return {"role": role, "content": _content(data, said, parts), "name": None}


def _content(data: st.DataObject, said: list[str], parts: list[Any]) -> Any:
    return said[0] if len(said) == 1 and data.draw(st.booleans()) else parts


def _chat_format(form: dict[str, Any] | None) -> dict[str, Any] | None:
    if form is None or form["type"] != "json_schema":
        return form
    schema = {name: value for name, value in form.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def _written(data: st.DataObject, value: dict[str, Any]) -> bytes:
    spaces = data.draw(st.sampled_from([None, 2]))
    escaped = data.draw(st.booleans())
    return json.dumps(_shuffled(data, value), indent=spaces, ensure_ascii=escaped).encode()


def _shuffled(data: st.DataObject, value: Any) -> Any:
    if isinstance(value, list):
        return [_shuffled(data, one) for one in value]
    if not isinstance(value, dict):
        return value
    keys = data.draw(st.permutations(list(value)))
    return {key: _shuffled(data, value[key]) for key in keys}


@pytest.mark.parametrize(
    "other",
    [
        {"input": "Hi "},
        {"input": [{"role": "developer", "content": "Hi"}]},
        {"input": [{"role": "user", "content": "Hi", "name": "Ada"}]},
        {"input": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hi"}]},
        {"instructions": "Hi"},
        {"temperature": 0},
        {"stream": True},
        {"background": True},
        {"store": False},
        {"metadata": {"a": "b"}},
        {"conversation": "c"},
        {"previous_response_id": "c"},
        {"text": {"verbosity": "low"}},
        {"truncation": "disabled"},
    ],
    ids=lambda other: str(other)[:60],
)
def test_another_message_is_another_body(other: dict[str, Any]) -> None:
    plain = responses(b'{"input":"Hi"}')
    changed = responses(msgspec.json.encode({"input": "Hi", **other}))
    assert body_digest(changed, encode_body(changed)) != body_digest(plain, encode_body(plain))
