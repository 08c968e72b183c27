"""Requests to the index as they are read, and what several of them say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

import msgspec

from shared.decoding import Json, T, decode_json
from shared.errors import InvalidRequest
from shared.storable_text import is_storable

_Key = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Text = Annotated[str, msgspec.Meta(max_length=512)]
Attributes = Annotated[dict[_Key, _Text | float | bool], msgspec.Meta(max_length=16)]
Name = Annotated[str, msgspec.Meta(max_length=256)]
Description = Annotated[str, msgspec.Meta(max_length=4_096)]


def read_request(decoder: msgspec.json.Decoder[T], raw: Json) -> T:
    """What is asked; raises InvalidRequest that names a field, also for text with NUL in it."""
    asked = decode_json(decoder, raw)
    if place := _unstorable(msgspec.to_builtins(asked), ""):
        raise InvalidRequest(f"'{place}' holds a NUL character. Remove it.", param=place)
    return asked


@contextmanager
def in_words_of(places: Mapping[str, str]) -> Iterator[None]:
    """While inside, an InvalidRequest names a field as the caller wrote it."""
    try:
        yield
    except InvalidRequest as error:
        for ours, theirs in places.items():
            if error.param is not None and error.param.startswith(ours):
                param = theirs + error.param.removeprefix(ours)
                message = error.message.replace(error.param, param)
                raise InvalidRequest(message, param=param, kind=error.kind) from None
        raise


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
