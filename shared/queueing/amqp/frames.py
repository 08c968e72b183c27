"""AMQP 0-9-1 frames as bytes. Arguments and tables are encoded by py-amqp's own codec.

frame  = type (1) · channel (2) · size (4) · payload · 0xCE
message = method frame basic.publish · header frame with properties · body frames
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Any, Final

import msgspec
from amqp.serialization import decode_properties_basic, dumps
from amqp.spec import Basic

from shared.errors import BrokerUnavailable

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8
END: Final = b"\xce"
FRAME_OVERHEAD_BYTES: Final = 8

_FRAME = Struct(">BHI")
_METHOD = Struct(">HH")
_CONTENT = Struct(">HHQH")

HEARTBEAT_FRAME: Final = _FRAME.pack(HEARTBEAT, 0, 0) + END
GREETING: Final = b"AMQP\x00\x00\x09\x01"

_CONTENT_TYPE = 0x8000
_CONTENT_ENCODING = 0x4000
_HEADERS = 0x2000
_DELIVERY_MODE = 0x1000
_CORRELATION_ID = 0x0400
_REPLY_TO = 0x0200
_MESSAGE_ID = 0x0080
_PERSISTENT = b"\x02"


class Properties(msgspec.Struct, frozen=True, kw_only=True):
    """The properties of a persistent message; an empty string is left out."""

    content_type: str = "application/json"
    content_encoding: str = "utf-8"
    correlation_id: str = ""
    reply_to: str = ""
    message_id: str = ""
    headers: Mapping[str, Any] = {}


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame of any kind."""
    return _FRAME.pack(kind, channel, len(payload)) + payload + END


def method_frame(channel: int, method: tuple[int, int], arguments: bytes = b"") -> bytes:
    """One method with its encoded arguments."""
    return frame(METHOD, channel, _METHOD.pack(*method) + arguments)


def publish_frame(
    channel: int, exchange: str, routing_key: str, *, mandatory: bool = True
) -> bytes:
    """basic.publish; a mandatory message that no queue takes comes back."""
    return method_frame(
        channel, Basic.Publish, dumps("Bssbb", (0, exchange, routing_key, mandatory, False))
    )


def header_frame(channel: int, properties: Properties, body_size: int) -> bytes:
    """The content header of one message."""
    flags, values = _DELIVERY_MODE, [_PERSISTENT]
    if properties.headers:
        flags |= _HEADERS
        values.insert(0, dumps("F", (dict(properties.headers),)))
    before = ((_CONTENT_ENCODING, properties.content_encoding),)
    after = (
        (_CORRELATION_ID, properties.correlation_id),
        (_REPLY_TO, properties.reply_to),
        (_MESSAGE_ID, properties.message_id),
    )
    for flag, text in (*before, (_CONTENT_TYPE, properties.content_type)):
        if text:
            flags |= flag
            values.insert(0, dumps("s", (text,)))
    for flag, text in after:
        if text:
            flags |= flag
            values.append(dumps("s", (text,)))
    payload = _CONTENT.pack(Basic.CLASS_ID, 0, body_size, flags) + b"".join(values)
    return frame(HEADER, channel, payload)


def body_frames(channel: int, body: bytes, *, frame_max: int) -> bytes:
    """The body, cut to the size of frame both sides agreed on."""
    piece = frame_max - FRAME_OVERHEAD_BYTES
    return b"".join(
        frame(BODY, channel, body[start : start + piece]) for start in range(0, len(body), piece)
    )


def returned_correlation_id(header: bytes) -> str | None:
    """The correlation id in the header frame of a returned message."""
    properties, _ = decode_properties_basic(header, _CONTENT.size - 2)
    found = properties.get("correlation_id")
    return found if isinstance(found, str) else None


class FrameReader:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Every frame that is complete by now: kind, channel, payload.

        Raises BrokerUnavailable when the peer does not speak AMQP 0-9-1.
        """
        stream = self._rest + received if self._rest else received
        offset, size = 0, len(stream)
        if stream[:1] == b"A":
            raise BrokerUnavailable("The broker speaks another version of AMQP than 0-9-1.")
        while size - offset >= _FRAME.size:
            kind, channel, length = _FRAME.unpack_from(stream, offset)
            end = offset + _FRAME.size + length
            if end >= size:
                break
            if stream[end] != END[0]:
                raise BrokerUnavailable("The broker sent a frame without its end mark.")
            yield kind, channel, stream[offset + _FRAME.size : end]
            offset = end + 1
        self._rest = stream[offset:]
