"""Elements of Redis lists: ours are what kombu writes, foreign ones cannot break its reader."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport.virtual import Channel, Message

from shared.messages.lane import Lane, WakeUp
from shared.queueing.reading.delivery import MALFORMED_HEADER
from shared.queueing.redis_lists.elements import sound_envelope
from shared.queueing.redis_lists.envelope import RedisEnvelope, kombu_envelope

WAKE_UP = WakeUp("resp_1", Lane.STANDARD, datetime(2030, 1, 1, tzinfo=UTC), {"traceparent": "00"})


def test_a_wake_up_is_what_kombu_would_have_pushed() -> None:
    envelope = json.loads(RedisEnvelope("me@here").encode(WAKE_UP))
    args, kwargs, _ = json.loads(base64.b64decode(envelope["body"]))
    assert (args, kwargs["message_id"], kwargs["lane"]) == ([], "resp_1", "standard")
    assert envelope["headers"]["id"] == "resp_1"
    assert envelope["headers"]["traceparent"] == "00"
    assert envelope["content-type"] == "application/json"
    assert envelope["properties"]["delivery_info"] == {
        "exchange": "",
        "routing_key": "agent.standard",
    }
    assert envelope["properties"]["body_encoding"] == "base64"


def test_a_message_published_twice_has_two_delivery_tags() -> None:
    encoder = RedisEnvelope("me@here")
    tags = {json.loads(encoder.encode(WAKE_UP))["properties"]["delivery_tag"] for _ in range(100)}
    assert len(tags) == 100


def test_a_sound_envelope_is_left_alone() -> None:
    element = kombu_envelope(b"{}", queue="q", headers={}, correlation_id="c", delivery_tag="t")
    assert sound_envelope(element, "q") is element


def test_a_minimal_envelope_gets_what_kombu_needs() -> None:
    element = b'{"body": "{}", "properties": {"correlation_id": "c"}}'
    properties = json.loads(sound_envelope(element, "intake"))["properties"]
    assert properties["delivery_info"] == {"exchange": "", "routing_key": "intake"}
    assert properties["correlation_id"] == "c"
    assert properties["delivery_tag"]


def test_a_way_back_over_an_exchange_that_may_be_forgotten_is_replaced() -> None:
    element = json.dumps(
        {
            "body": "",
            "properties": {
                "delivery_tag": "t",
                "delivery_info": {"exchange": "celery", "routing_key": "x"},
            },
        }
    ).encode()
    properties = json.loads(sound_envelope(element, "intake"))["properties"]
    assert properties["delivery_info"] == {"exchange": "", "routing_key": "intake"}
    assert properties["delivery_tag"] == "t"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "body": JSON,
        "headers": JSON,
        "properties": st.fixed_dictionaries(
            {},
            optional={
                "delivery_tag": JSON,
                "delivery_info": JSON,
                "body_encoding": st.sampled_from(["base64", "rot13", None, 5]),
            },
        )
        | JSON,
    },
)


@given(st.binary(max_size=50) | (ENVELOPES | JSON).map(lambda value: json.dumps(value).encode()))
def test_whatever_lies_in_the_list_kombu_can_read_it(element: bytes) -> None:
    payload = json.loads(sound_envelope(element, "intake"))
    message = Message(payload, channel=Channel.__new__(Channel))
    assert message.delivery_tag
    assert message.delivery_info["routing_key"] == "intake"
    assert isinstance(message.headers, dict)


@pytest.mark.parametrize("element", [b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
def test_what_is_no_envelope_says_so_and_keeps_its_bytes(element: bytes) -> None:
    payload = json.loads(sound_envelope(element, "intake"))
    assert payload["headers"][MALFORMED_HEADER]
    assert base64.b64decode(payload["body"]) == element
