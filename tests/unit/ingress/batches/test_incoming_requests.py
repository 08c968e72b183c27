"""The body of a batch of messages, taken in pieces wherever they are cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingress.api.message_batches.incoming_requests import IncomingRequests
from shared.batches.batch import LONGEST_LINE_BYTES
from shared.errors import InvalidRequest

TEXTS = st.text(st.sampled_from('a"\\{}[]:, \n\u20ac'), max_size=12)
PARAMS = st.recursive(
    TEXTS | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SPACED = {"separators": (" , ", " : "), "indent": 1}
GOOD = {"custom_id": "a", "params": {}}


def taken(body: bytes, *, size: int) -> Iterator[bytes]:
    """The lines of a body that comes in pieces of that size."""
    incoming = IncomingRequests()
    for at in range(0, len(body), size):
        yield from incoming.take(body[at : at + size])
    incoming.finish()


@given(
    asked=st.lists(st.dictionaries(TEXTS, PARAMS, max_size=4), min_size=1, max_size=4),
    size=st.integers(1, 40),
    style=st.sampled_from([{}, SPACED, {"ensure_ascii": False}]),
)
def test_every_request_becomes_a_line_wherever_the_body_is_cut(
    asked: list[dict[str, Any]], size: int, style: dict[str, Any]
) -> None:
    wanted = [{"custom_id": f"n-{nth}", "params": each} for nth, each in enumerate(asked)]
    body = json.dumps({"requests": wanted}, **style).encode()
    lines = [*taken(body, size=size)]
    assert [json.loads(line) for line in lines] == wanted
    assert all(line.count(b"\n") == 1 for line in lines)


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"requests": [{"custom_id": "a", "params": {}}', "not valid JSON"),
        ('{"requests": [{"custom_id": "a", "params": {}}]', "not valid JSON"),
        ('{"requests": [{"custom_id": "a", "params": {}}]} {}', "not valid JSON"),
        ('{"requests": [{"custom_id": "a", "params": {}} {}]}', "not valid JSON"),
        ('{"requests": [{"custom_id": "a", "params": {]}]}', "not valid JSON"),
        ('{"requests": [{"custom_id": "a", "params": {}}], "x": 1}', "all that is taken"),
        ('{"requests": [{"custom_id": "a", "params": {}}, 5]}', "'requests[1]' must be an object"),
        ('{"requests": [{"custom_id": "a", "params": {}},]}', "'requests[1]' must be an object"),
        ('{"requests": [{"custom_id": "a", "params": {"x": 01}}]}', "'requests[0]' is not valid"),
        ('{"requests": []}', "is empty"),
        ('{"requests": 5}', "requests"),
        ('{"x": 1, "requests": []}', "'x'"),
    ],
)
def test_what_is_wrong_is_said(body: str, told: str, size: int) -> None:
    with pytest.raises(InvalidRequest, match=re.escape(told)):
        [*taken(body.encode(), size=size)]


def test_the_request_that_is_wrong_is_named_by_its_place() -> None:
    body = json.dumps({"requests": [GOOD, {"custom_id": "b c", "params": {}}]}).encode()
    with pytest.raises(InvalidRequest) as raised:
        [*taken(body, size=9)]
    assert raised.value.param == "requests[1].custom_id"
    assert "'requests[1].custom_id'" in str(raised.value)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (b'{"x": "\xff"}', "'requests[1]' is not UTF-8 at its byte 34"),
        (b'{"x": "%b"}' % (b"x" * LONGEST_LINE_BYTES), "'requests[1]' is longer than"),
    ],
)
def test_what_would_fail_a_batch_when_its_lines_are_read_is_refused_at_once(
    params: bytes, told: str
) -> None:
    good = json.dumps(GOOD).encode()
    body = b'{"requests":[%b,{"custom_id":"b","params":%b}]}' % (good, params)
    with pytest.raises(InvalidRequest, match=re.escape(told)):
        [*taken(body, size=1 << 24)]
