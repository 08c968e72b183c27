"""A dead letter on its way to the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

from shared.identifiers import DEAD_LETTER
from shared.messages.dead_letter import Bury, DeadReason
from shared.queueing.reading.delivery import COMPRESSION_HEADER, Delivery
from shared.telemetry.redaction import redact_fields

BODY_LIMIT_BYTES: Final = 65_536
_HEADERS_LIMIT_BYTES: Final = 32_768
_DETAIL_LIMIT: Final = 1_000
_QUEUE_LIMIT: Final = 128
_ID_LIMIT: Final = 64
_CHANGING_HEADERS: Final = frozenset({"x-delivery-count"})

_json = msgspec.json.Encoder(enc_hook=repr)


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger keeps of a message that came over a queue and will not be answered.

    `id` follows from what the message is, so that one that is buried again is the same letter.
    `headers` is JSON without credentials; `body` holds its first 64 KiB, as it came.
    """

    id: str
    reason: DeadReason
    detail: str
    queue: str
    message_id: str
    headers: str
    body: bytes


def letter_about(delivery: Delivery, verdict: Bury, *, queue: str) -> Letter:
    """Never raises, whatever the delivery holds."""
    packed = {} if delivery.compression is None else {COMPRESSION_HEADER: delivery.compression}
    headers = written({**delivery.headers, **packed})
    own_id = storable(delivery.own_id)
    tag = delivery.tag.encode(errors="replace")
    return Letter(
        id=digest_id(queue.encode(), own_id.encode(), tag, headers.encode(), delivery.body),
        reason=verdict.reason,
        detail=storable(verdict.detail)[:_DETAIL_LIMIT],
        queue=storable(queue)[:_QUEUE_LIMIT],
        message_id=own_id[:_ID_LIMIT],
        headers=headers,
        body=delivery.body[:BODY_LIMIT_BYTES],
    )


def digest_id(*parts: bytes) -> str:
    """The id of a letter, the same for the same parts."""
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return f"{DEAD_LETTER}_{digest.hexdigest()}"


def written(headers: Mapping[str, Any]) -> str:
    """The headers as JSON without credentials, or a word on why they are not there."""
    kept = {name: value for name, value in headers.items() if name not in _CHANGING_HEADERS}
    try:
        text = _json.encode(redact_fields(kept))
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        return _left_out(f"they cannot be written: {error!r:.200}")
    return too_long(len(text)) if len(text) > _HEADERS_LIMIT_BYTES else text.decode()


def too_long(size_bytes: int) -> str:
    """What stands for headers of that size where there is no room for them."""
    return _left_out(f"they have {size_bytes} bytes")


def _left_out(why: str) -> str:
    return _json.encode({"left_out": why}).decode()


def storable(value: object) -> str:
    """As text that a database takes: no NUL, no lone surrogates."""
    return str(value).replace("\0", "").encode(errors="replace").decode()
