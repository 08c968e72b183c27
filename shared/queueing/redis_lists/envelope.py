"""Wake-ups as kombu's Redis transport stores them: one JSON object, its body in base64."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Mapping
from itertools import count
from random import SystemRandom
from typing import Any, Final

import msgspec

from shared.messages.lane import Lane, WakeUp
from shared.queueing.envelope import CONTENT_ENCODING, CONTENT_TYPE, constant_headers, wake_up_body
from shared.queueing.topology import lane_queue

_json = msgspec.json.Encoder()

_ENVELOPE: Final = b'{"body":"%b","headers":{%b,"id":"%b","root_id":"%b"%b},"properties":{%b'
_TAGS: Final = b',"correlation_id":"%b","delivery_tag":"%b%x"}%b'


def kombu_envelope(
    body: bytes,
    *,
    queue: str,
    headers: Mapping[str, Any],
    correlation_id: str,
    delivery_tag: str,
    content_type: str = CONTENT_TYPE,
    content_encoding: str = CONTENT_ENCODING,
) -> bytes:
    """Any message as kombu would have pushed it onto the list `queue`.

    Its exchange is the default one, so that kombu finds the way back to the queue without bindings.
    """
    return _json.encode(
        {
            "body": b2a_base64(body, newline=False).decode(),
            "content-type": content_type,
            "content-encoding": content_encoding,
            "headers": headers,
            "properties": {
                **delivery_properties(queue),
                "correlation_id": correlation_id,
                "delivery_tag": delivery_tag,
            },
        }
    )


def delivery_properties(queue: str) -> dict[str, Any]:
    """What kombu needs to know to acknowledge a message and to put it back."""
    return {
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
    }


class RedisEnvelope:
    """Turns wake-ups into envelopes. What is the same for all of them is encoded once."""

    def __init__(self, origin: str) -> None:
        self._headers = _members(constant_headers(origin))
        self._properties = {
            lane: _members({**delivery_properties(lane_queue(lane).value), "reply_to": ""})
            for lane in Lane
        }
        self._end = (
            b","
            + _members({"content-type": CONTENT_TYPE, "content-encoding": CONTENT_ENCODING})
            + b"}"
        )
        # A tag must differ between two deliveries of one message, so it is not the message's id.
        self._tag_prefix = b"%032x-" % SystemRandom().getrandbits(128)
        self._tags = count()

    def encode(self, wake_up: WakeUp) -> bytes:
        """One element of the list."""
        identifier = wake_up.message_id.encode()
        trace = b"," + _members(wake_up.trace) if wake_up.trace else b""
        body = b2a_base64(wake_up_body(wake_up), newline=False)
        properties = self._properties[wake_up.lane]
        return (_ENVELOPE + _TAGS) % (
            body, self._headers, identifier, identifier, trace, properties,
            identifier, self._tag_prefix, next(self._tags), self._end,
        )  # fmt: skip


def _members(members: Mapping[str, Any]) -> bytes:
    """The members of a JSON object without its braces."""
    return _json.encode(members)[1:-1]
