"""A content header read quickly is the header that py-amqp reads."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime

import pytest
from amqp.serialization import decode_properties_basic
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.json import loads

from shared.messages.lane import Lane, WakeUp
from shared.queueing.amqp.envelope import AmqpEnvelope
from shared.queueing.amqp.frames import HEADER, FrameReader, Properties, header_frame
from shared.queueing.amqp.properties import ContentHeader, ContentHeaderReader, body_size
from shared.queueing.reading.consumed_message import ConsumedMessage
from shared.queueing.reading.delivery import MALFORMED_HEADER

FIXED_BYTES = 12


def wake_up(number: int, trace: dict[str, str]) -> WakeUp:
    return WakeUp(f"resp_{number:020}", Lane.BATCH, datetime(2030, 1, 1, tzinfo=UTC), trace)


def payload_of(frames: bytes) -> bytes:
    (found,) = [
        payload for kind, _, payload in FrameReader().feed(frames + b"\x08") if kind == HEADER
    ]
    return found


def decoded(payload: bytes) -> dict[str, object]:
    properties, _ = decode_properties_basic(payload, FIXED_BYTES)
    return dict(properties)


def plain(found: ContentHeader) -> dict[str, object]:
    assert found.properties.get("application_headers", {}) == found.headers
    return found.properties


@pytest.mark.parametrize("trace", [{}, {"traceparent": "00-0af7-01", "tracestate": "a=b"}], ids=len)
def test_a_wake_up_is_read_as_py_amqp_reads_it(trace: dict[str, str]) -> None:
    reader, envelope = ContentHeaderReader(), AmqpEnvelope("forebay-1@host")
    for number in range(5):
        payload = payload_of(envelope.encode(wake_up(number, trace)))
        assert plain(reader.read(payload)) == decoded(payload)
        assert body_size(payload) > 0


names = st.text(string.ascii_letters, min_size=1, max_size=8) | st.sampled_from(["id", "root_id"])
values = st.text(max_size=12) | st.integers(-(2**31), 2**31) | st.booleans() | st.none()


@given(st.lists(st.dictionaries(names, values, max_size=5), min_size=1, max_size=4), st.text("ab"))
def test_any_headers_are_read_as_py_amqp_reads_them(
    tables: list[dict[str, object]], correlation_id: str
) -> None:
    reader = ContentHeaderReader()
    for table in [*tables, *tables]:
        for ids in ({}, {"id": "xyz", "root_id": "xyz"}, {"id": "xyz"}):
            properties = Properties(correlation_id=correlation_id, headers=table | ids)
            payload = payload_of(header_frame(1, properties, 10))
            assert plain(reader.read(payload)) == decoded(payload)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_no_bytes_raise(noise: bytes, place: int) -> None:
    reader = ContentHeaderReader()
    payload = payload_of(AmqpEnvelope("x").encode(wake_up(1, {})))
    reader.read(payload)
    broken = payload[:place] + noise + payload[place + len(noise) :]
    found = reader.read(broken.ljust(16, b"\0"))
    assert isinstance(found.headers, dict)


def test_what_cannot_be_read_says_so() -> None:
    table = b"\x20\x00" + (8).to_bytes(4, "big") + b"\x02id" + b"?garb"
    found = ContentHeaderReader().read(bytes(FIXED_BYTES) + table)
    assert set(found.headers) == {MALFORMED_HEADER}


class Source:
    no_ack_consumers = None
    has_dead_letters = False

    def basic_ack(self, delivery_tag: object, multiple: bool = False) -> None: ...

    def basic_reject(self, delivery_tag: object, requeue: bool) -> None: ...


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(json_values, st.booleans())
def test_a_body_is_decoded_as_kombu_decodes_it(value: object, is_ascii: bool) -> None:
    body = json.dumps([[value], {"a": value}, None], ensure_ascii=is_ascii).encode(errors="replace")
    message = ConsumedMessage(
        Source(),
        tag=1,
        body=body,
        headers={},
        properties={},
        delivery_info={},
        content_type="application/json",
        content_encoding="utf-8",
    )
    assert repr(message.payload) == repr(loads(body))
