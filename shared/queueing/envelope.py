"""The Celery message that wakes a worker, serialised by hand.

Celery's task protocol 2: the task in the headers, `[args, kwargs, embed]` in the body. All of it but
the id, lane, deadline and trace is the same for every message, so it is encoded once. A message
carries no prompt; `argsrepr` and `kwargsrepr`, which Flower shows, are fixed.
"""

from __future__ import annotations

import socket
from binascii import b2a_base64
from itertools import count
from os import getpid
from random import SystemRandom
from struct import Struct
from typing import Any, Final

import msgspec
from amqp.serialization import dumps
from amqp.spec import Basic

from shared.messages.wake_up import WakeUp
from shared.queueing.amqp.frames import BODY, END, HEADER, publish_frame
from shared.queueing.amqp.link import CHANNEL
from shared.queueing.task_names import TaskName
from shared.queueing.topology import EXCHANGE, lane_queue

ARGUMENTS_SHOWN: Final = "()"
KEYWORDS_SHOWN: Final = "{...}"
_EMBED: Final = b'{"callbacks":null,"errbacks":null,"chain":null,"chord":null}'
_BODY: Final = b'[[],{"message_id":"%b","lane":"%b","deadline":"%b"},' + _EMBED + b"]"

_FRAME: Final = Struct(">BHI")
_HEADER_START: Final = Struct(">BHIHHQH")
_SIZE: Final = Struct(">I")
# content-type, content-encoding, headers, delivery-mode, correlation-id
_FLAGS: Final = 0x8000 | 0x4000 | 0x2000 | 0x1000 | 0x0400
_PROPERTIES_BEFORE: Final = dumps("ss", ("application/json", "utf-8"))
_PERSISTENT: Final = b"\x02"
_HEADER_FIXED_BYTES: Final = 14


def celery_headers(message_id: str, origin: str) -> dict[str, Any]:
    """The headers of task protocol 2 for one wake-up, without its trace."""
    return {"id": message_id, "root_id": message_id, **_constant_headers(origin)}


def wake_up_body(wake_up: WakeUp) -> bytes:
    """`[args, kwargs, embed]` as JSON."""
    return _BODY % (
        wake_up.message_id.encode(),
        wake_up.lane.value.encode(),
        wake_up.deadline.isoformat().encode(),
    )


def own_origin() -> str:
    """Who sends, in Celery's words: a process and a host."""
    return f"forebay-{getpid()}@{socket.gethostname()}"


class AmqpEnvelope:
    """Wake-ups as complete AMQP frames, ready for the socket."""

    def __init__(self, origin: str) -> None:
        table = dumps("F", (_constant_headers(origin),))
        self._constant = table[_SIZE.size :]
        self._publish = {
            lane: publish_frame(CHANNEL, EXCHANGE, lane_queue(lane).value)
            for lane in WakeUp.__annotations__ and _lanes()
        }

    def encode(self, wake_up: WakeUp) -> bytes:
        """basic.publish, content header and body of one message."""
        identifier = wake_up.message_id.encode()
        body = wake_up_body(wake_up)
        long_id = b"S" + _SIZE.pack(len(identifier)) + identifier
        table = b"".join((self._constant, b"\x02id", long_id, b"\x07root_id", long_id))
        if wake_up.trace:
            table += dumps("F", (wake_up.trace,))[_SIZE.size :]
        properties = b"".join(
            (
                _PROPERTIES_BEFORE,
                _SIZE.pack(len(table)),
                table,
                _PERSISTENT,
                bytes((len(identifier),)),
                identifier,
            )
        )
        size = _HEADER_FIXED_BYTES + len(properties)
        return b"".join(
            (
                self._publish[wake_up.lane],
                _HEADER_START.pack(HEADER, CHANNEL, size, Basic.CLASS_ID, 0, len(body), _FLAGS),
                properties,
                END,
                _FRAME.pack(BODY, CHANNEL, len(body)),
                body,
                END,
            )
        )


class RedisEnvelope:
    """Wake-ups as kombu's Redis transport stores them: one JSON object, its body in base64."""
