"""Bytes or plain objects into structs, with errors that name the field.

msgspec reports where it stopped only inside its message text, so this one file takes that text
apart; everything above it sees `InvalidRequest.param` and never a library's wording.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from shared.errors import InvalidRequest

T = TypeVar("T")

_WHERE = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>.*)`$", re.DOTALL)

# What a typed client sends as null, or as an empty list, is a field that we do not have.
_UNSUPPORTED = re.compile(r"^Expected `null`, got |^Expected `(?:array|object)` of length <= 0$")


def decode_json(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode `body`; raises InvalidRequest naming the offending field.

    A body nested deeper than the decoder's stack is refused like any other wrong body.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            f"The body is not valid JSON: {error}. Send one JSON object.", kind="invalid_json"
        ) from None


def convert(value: Any, kind: type[T], *, strict: bool = True) -> T:
    """Convert a plain object into `kind`; raises InvalidRequest naming the offending field."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error)) from None


def invalid_field(text: str) -> InvalidRequest:
    """The error for one msgspec complaint: which field, what is wrong, what to do."""
    where = _WHERE.match(text)
    problem = str(where["problem"]) if where else text
    path = str(where["path"] or "") if where else ""
    if unknown := _UNKNOWN.match(problem):
        field = _joined(path, unknown["field"])
        return InvalidRequest(
            f"Unknown parameter: '{field}'. Remove it.", param=field, kind="unknown_parameter"
        )
    if missing := _MISSING.match(problem):
        field = _joined(path, missing["field"])
        return InvalidRequest(
            f"Missing required parameter: '{field}'.",
            param=field,
            kind="missing_required_parameter",
        )
    param = path.replace("[...]", "[]") or None
    if param and _UNSUPPORTED.match(problem):
        return InvalidRequest(
            f"'{param}' is not supported. Remove it.", param=param, kind="unsupported_parameter"
        )
    named = f"Invalid value for '{param}': {problem}." if param else f"{problem}."
    return InvalidRequest(named, param=param, kind="invalid_type")


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field
