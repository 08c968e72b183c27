"""AMQP frames, checked against py-amqp's own reading of them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from amqp.basic_message import Message
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane, WakeUp
from shared.queueing.amqp.envelope import AmqpEnvelope
from shared.queueing.amqp.frames import (
    BODY,
    HEADER,
    HEARTBEAT_FRAME,
    METHOD,
    FrameReader,
    Properties,
    body_frames,
    frame,
    header_frame,
    method_frame,
    returned_correlation_id,
)

DEADLINE = datetime(2030, 1, 1, tzinfo=UTC)


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3, 8]), st.binary(max_size=60))), st.data())
def test_a_stream_cut_anywhere_gives_the_same_frames(
    frames: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    stream = b"".join(frame(kind, 1, payload) for kind, payload in frames)
    reader, found = FrameReader(), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += [(kind, bytes(payload)) for kind, _, payload in reader.feed(stream[:cut])]
        stream = stream[cut:]
    assert found == frames


def test_another_protocol_is_refused() -> None:
    with pytest.raises(BrokerUnavailable, match="another version"):
        list(FrameReader().feed(b"AMQP\x00\x01\x00\x00"))


def test_a_frame_without_its_end_mark_is_refused() -> None:
    with pytest.raises(BrokerUnavailable, match="end mark"):
        list(FrameReader().feed(HEARTBEAT_FRAME[:-1] + b"\x00" + HEARTBEAT_FRAME))


def test_a_long_body_is_cut_to_the_agreed_size() -> None:
    body = b"x" * 10_000
    stream = body_frames(1, body, frame_max=4096)
    pieces = [payload for _, _, payload in FrameReader().feed(stream)]
    assert b"".join(pieces) == body
    assert max(len(piece) for piece in pieces) + 8 == 4096


def test_properties_are_read_by_py_amqp_as_they_were_written() -> None:
    written = Properties(
        correlation_id="c", reply_to="r", message_id="m", headers={"a": 1, "b": None, "c": "ä"}
    )
    [(_, _, payload)] = FrameReader().feed(header_frame(1, written, 5))
    message = Message()
    message.inbound_header(payload)
    assert message.body_size == 5
    assert message.properties == {
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "application_headers": {"a": 1, "b": None, "c": "ä"},
        "delivery_mode": 2,
        "correlation_id": "c",
        "reply_to": "r",
        "message_id": "m",
    }
    assert returned_correlation_id(payload) == "c"


def test_a_wake_up_is_three_frames_with_celerys_headers() -> None:
    wake_up = WakeUp("resp_1", Lane.BATCH, DEADLINE, {"traceparent": "00-1-2-01"})
    method, header, body = FrameReader().feed(AmqpEnvelope("me@here").encode(wake_up))
    assert [method[0], header[0], body[0]] == [METHOD, HEADER, BODY]
    assert b"\x07forebay\x0bagent.batch" in method[2]
    message = Message()
    message.inbound_header(header[2])
    headers = message.properties["application_headers"]
    assert message.body_size == len(body[2])
    assert (headers["id"], headers["root_id"]) == ("resp_1", "resp_1")
    assert headers["task"] == "forebay.answer"
    assert headers["stamps"] == {}
    assert headers["traceparent"] == "00-1-2-01"


def test_a_method_names_its_class_and_itself() -> None:
    assert method_frame(1, (60, 80), b"\x01") == b"\x01\x00\x01\x00\x00\x00\x05\x00<\x00P\x01\xce"
