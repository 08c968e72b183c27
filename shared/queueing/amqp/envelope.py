"""Wake-ups as AMQP frames. What is the same for all of them is encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Final

from amqp.serialization import dumps
from amqp.spec import Basic

from shared.messages.lane import Lane, WakeUp
from shared.queueing.amqp.frames import BODY, END, HEADER, publish_frame
from shared.queueing.amqp.session import CHANNEL
from shared.queueing.envelope import CONTENT_ENCODING, CONTENT_TYPE, constant_headers, wake_up_body
from shared.queueing.topology import EXCHANGE, lane_queue

_FRAME: Final = Struct(">BHI")
_HEADER: Final = Struct(">BHIHHQH")
_HEADER_FIXED_BYTES: Final = 14
_SIZE: Final = Struct(">I")
# content-type, content-encoding, headers, delivery-mode, correlation-id
_FLAGS: Final = 0x8000 | 0x4000 | 0x2000 | 0x1000 | 0x0400
_PERSISTENT: Final = b"\x02"


class AmqpEnvelope:
    """Turns wake-ups into the bytes of basic.publish, content header and body."""

    def __init__(self, origin: str) -> None:
        self._content = dumps("ss", (CONTENT_TYPE, CONTENT_ENCODING))
        self._constant = _entries(constant_headers(origin))
        self._publish = {
            lane: publish_frame(CHANNEL, EXCHANGE, lane_queue(lane).value) for lane in Lane
        }

    def encode(self, wake_up: WakeUp, others: Sequence[WakeUp] = ()) -> bytes:
        """The frames of one persistent message; its id is also its correlation id.

        `others` of the same lane are bundled with it.
        """
        identifier = wake_up.message_id.encode()
        body = wake_up_body(wake_up, others)
        properties = self._properties(identifier, wake_up.trace)
        return b"".join(
            (
                self._publish[wake_up.lane],
                _HEADER.pack(
                    HEADER,
                    CHANNEL,
                    _HEADER_FIXED_BYTES + len(properties),
                    Basic.CLASS_ID,
                    0,
                    len(body),
                    _FLAGS,
                ),
                properties,
                END,
                _FRAME.pack(BODY, CHANNEL, len(body)),
                body,
                END,
            )
        )

    def _properties(self, identifier: bytes, trace: dict[str, str]) -> bytes:
        value = b"S" + _SIZE.pack(len(identifier)) + identifier
        table = b"".join((self._constant, b"\x02id", value, b"\x07root_id", value))
        if trace:
            table += _entries(trace)
        return b"".join(
            (
                self._content,
                _SIZE.pack(len(table)),
                table,
                _PERSISTENT,
                bytes((len(identifier),)),
                identifier,
            )
        )


def _entries(table: dict[str, object] | dict[str, str]) -> bytes:
    """A table without its length, so that more entries may follow."""
    return dumps("F", (table,))[_SIZE.size :]
