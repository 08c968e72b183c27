"""What Anthropic's API has and this one has not: refused by its place."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

import msgspec

from shared.errors import InvalidRequest
from shared.messages.requests.unsupported import UNSUPPORTED, found_at
from shared.surfaces.messages.blocks import Block, SaidBlock, TextBlock

_MOST_SHOWN: Final = 64


def _types(kind: Any) -> tuple[str, ...]:
    return tuple(str(one.__struct_config__.tag) for one in get_args(kind) or (kind,))


_KINDS: Final = tuple(
    (re.compile(place), noun, known)
    for place, noun, known in (
        (r"messages\[\d+\]\.content\[\d+\]", "block", _types(Block)),
        (r"messages\[\d+\]\.content\[\d+\]\.content\[\d+\]", "block", _types(SaidBlock)),
        (r"system\[\d+\]", "block", _types(TextBlock)),
        (r"tools\[\d+\]", "tool", ("custom",)),
    )
)
"""Where callers name kinds, and those that are known there."""


def explained_kind(error: InvalidRequest, raw: bytes) -> InvalidRequest:
    """The same refusal of a body, in plainer words where something in it is of a foreign kind."""
    param = error.param or ""
    for place, noun, known in _KINDS:
        found = place.match(param)
        named = _type_at(raw, found[0]) if found else None
        if found and named is not None and named not in known:
            return InvalidRequest(
                f"'{found[0]}' is a {noun} of type '{named[:_MOST_SHOWN]}', and only "
                f"{', '.join(known)} is taken there. Remove it.",
                param=found[0],
                kind=UNSUPPORTED,
            )
    return error


def _type_at(raw: bytes, place: str) -> str | None:
    try:
        found = found_at(msgspec.json.decode(raw), place)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    named = found.get("type") if isinstance(found, dict) else None
    return named if isinstance(named, str) else None
