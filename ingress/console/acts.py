"""What somebody asks the console to do, as its page sends it."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.request_headers import require_json
from shared.accepting.reading_requests import read_request

T = TypeVar("T")
LARGEST_BYTES: Final = 262_144


async def read_act(exchange: Exchange, decoder: msgspec.json.Decoder[T]) -> T:
    """The body of an act; raises InvalidRequest that names a field, HttpRefusal for no JSON."""
    require_json(exchange)
    return read_request(decoder, await exchange.read_body(limit_bytes=LARGEST_BYTES))
