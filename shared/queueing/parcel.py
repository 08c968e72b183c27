"""A single message with an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """One message for one queue.

    `identifier` goes along as the correlation id. With `must_arrive`, a queue that does not exist
    is an error instead of swallowing it. `unread_seconds` is how long a Redis list may lie unread.
    `shorter_headers` go instead of `headers` where these do not fit one frame of the broker's, as
    AMQP wants them to.
    """

    queue: str
    body: bytes
    identifier: str
    headers: Mapping[str, Any] = {}
    shorter_headers: Mapping[str, Any] = {}
    content_type: str = "application/json"
    content_encoding: str = "utf-8"
    must_arrive: bool = False
    unread_seconds: int | None = None
