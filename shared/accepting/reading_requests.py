"""Requests to the index as they are read."""

from __future__ import annotations

import msgspec

from shared.decoding import Json, T, decode_json
from shared.errors import InvalidRequest
from shared.storable_text import is_storable


def read_request(decoder: msgspec.json.Decoder[T], raw: Json) -> T:
    """What is asked; raises InvalidRequest that names a field, also for text with NUL in it."""
    asked = decode_json(decoder, raw)
    if place := _unstorable(msgspec.to_builtins(asked), ""):
        raise InvalidRequest(f"'{place}' holds a NUL character. Remove it.", param=place)
    return asked


def _unstorable(value: object, place: str) -> str | None:
    """Where text stands that no database takes; the object, where it is a key."""
    if isinstance(value, str):
        return None if is_storable(value) else place
    if isinstance(value, dict):
        inner = [(f"{place}.{key}".lstrip("."), one) for key, one in value.items()]
        if not all(is_storable(key) for key in value):
            return place
    elif isinstance(value, list):
        inner = [(f"{place}[{nth}]", one) for nth, one in enumerate(value)]
    else:
        return None
    return next(filter(None, (_unstorable(one, where) for where, one in inner)), None)
