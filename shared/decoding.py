"""Bytes or plain objects into structs, with errors that name the field.

A large body is first relieved of its longest strings, which are images and files in base64: each
of their bytes is looked at once, a piece at a time.

msgspec reports where it stopped only inside its message text, so this one file takes that text
apart; everything above it sees `InvalidRequest.param` and never a library's wording.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from secrets import token_hex
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from shared.errors import InvalidRequest, use_one_of

T = TypeVar("T")

_WHERE = re.compile(
    r"^(?P<problem>.*?)(?: - at (?P<key>`key` in )?`\$\.?(?P<path>[^`]*)`)?$", re.DOTALL
)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<field>.*)`$", re.DOTALL)

# What a typed client sends as null, or as an empty list, is a field that we do not have.
_NOT_ONE_OF: Final = re.compile(r"^Invalid (?:enum )?value ")
_KEY: Final = "`key`"
_STEP: Final = re.compile(r"[^.\[\]]+|\[[^\]]*\]")
_UNSUPPORTED = re.compile(r"^Expected `null`, got |^Expected `(?:array|object)` of length <= 0$")


LARGE_BYTES: Final = 262_144
"""From here on a body is worth a closer look before it is decoded."""
_LONG_BYTES: Final = 65_536
_WINDOW_BYTES: Final = 4_096
_PIECE_BYTES: Final = 1_048_576
_CONTENTS: Final = frozenset({"data", "file_data", "image_url", "url"})
"""The fields that hold images and files, on any surface; none is held to a length."""
_text: Final = msgspec.json.Decoder(str)


class CutJson(msgspec.Struct, frozen=True):
    """A body, and what is left of it without its longest `strings`, whose names stand for them."""

    whole: bytes
    short: bytes
    strings: dict[str, str]


Json = bytes | CutJson


async def cut_json(body: bytes) -> Json:
    """The body, cheaper to decode where it is large; gives way to others after every piece."""
    if len(body) < LARGE_BYTES:
        return body
    name, strings = token_hex(16), dict[str, str]()
    short, at = list[bytes](), 0
    for begin, end in _long_strings(body):
        await asyncio.sleep(0)
        text = await _plain_text(body, begin, end)
        if text is not None:
            # Nobody can have written a name that is made now.
            key = f"{name}{len(strings)}"
            strings[key] = text
            short += (body[at:begin], key.encode())
            at = end
    await asyncio.sleep(0)
    return CutJson(body, b"".join([*short, body[at:]]), strings) if strings else body


def whole_json(body: Json) -> bytes:
    """The body as it came."""
    return body.whole if isinstance(body, CutJson) else body


def decode_json(decoder: msgspec.json.Decoder[T], body: Json) -> T:
    """Decode `body`; raises InvalidRequest naming the offending field.

    A body nested deeper than the decoder's stack is refused like any other wrong body.
    """
    if isinstance(body, CutJson):
        try:
            value, left = decoder.decode(body.short), dict(body.strings)
            _put_back(value, left)
            if not left:
                return value
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
        # Something long stands where no image or file does: only the whole tells what it is.
        body = body.whole
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error), decoder.type) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            f"The body is not valid JSON: {error}. Send one JSON object.", kind="invalid_json"
        ) from None


def _long_strings(body: bytes) -> Iterator[tuple[int, int]]:
    """Where long runs without a quotation mark begin and end: most are strings, and what is none
    is found out when what is left is decoded."""
    at = 0
    while at + _WINDOW_BYTES <= len(body):
        if body.find(b'"', at, at + _WINDOW_BYTES) >= 0:
            at += _WINDOW_BYTES
            continue
        begin, end = body.rfind(b'"', 0, at) + 1, body.find(b'"', at)
        if end < 0:
            return
        if end - begin >= _LONG_BYTES and body.find(b" ", begin, begin + _WINDOW_BYTES) < 0:
            yield begin, end
        at = end + 1


async def _plain_text(body: bytes, begin: int, end: int) -> str | None:
    """The string that stands there; None for one with escapes, or that is no string."""
    if body.find(b"\\", begin, end) >= 0:
        return None
    pieces = list[str]()
    for at in range(begin, end, _PIECE_BYTES):
        try:
            pieces.append(_text.decode(b'"%b"' % body[at : min(at + _PIECE_BYTES, end)]))
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        await asyncio.sleep(0)
    return "".join(pieces)


def _put_back(value: object, left: dict[str, str]) -> None:
    """Puts each string where its name stands alone, and takes it out of `left`."""
    if isinstance(value, list):
        for one in value:
            _put_back(one, left)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            held = getattr(value, field)
            if isinstance(held, str):
                if field in _CONTENTS and held in left:
                    msgspec.structs.force_setattr(value, field, left.pop(held))
            else:
                _put_back(held, left)


def convert(value: Any, kind: type[T], *, strict: bool = True) -> T:
    """Convert a plain object into `kind`; raises InvalidRequest naming the offending field."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise invalid_field(str(error), kind) from None


def invalid_field(text: str, kind: Any = None) -> InvalidRequest:
    """The error for one msgspec complaint: which field, what is wrong, what to do.

    With the `kind` that was wanted it tells the values that there are.
    """
    where = _WHERE.match(text)
    problem = str(where["problem"]) if where else text
    path = str(where["path"] or "") if where else ""
    if unknown := _UNKNOWN.match(problem):
        return unknown_field(_joined(path, unknown["field"]))
    if missing := _MISSING.match(problem):
        return missing_field(_joined(path, missing["field"]))
    # Which key it was is not told: its object is named.
    place = path.removesuffix("[...]")
    param = place.replace("[...]", "[]") or None
    if param and _UNSUPPORTED.match(problem):
        return InvalidRequest(
            f"'{param}' is not supported. Remove it.", param=param, kind="unsupported_parameter"
        )
    at = f"{path}.{_KEY}" if where and where["key"] else path
    if _NOT_ONE_OF.match(problem) and (values := values_at(at, kind)):
        problem += f". {use_one_of(values)}"
    about = "for" if place == path else "in"
    named = f"Invalid value {about} '{param}': {problem}." if param else f"{problem}."
    return InvalidRequest(named, param=param, kind="invalid_type")


def missing_field(place: str) -> InvalidRequest:
    """The error for a field that has to be there."""
    return InvalidRequest(
        f"Missing required parameter: '{place}'.", param=place, kind="missing_required_parameter"
    )


def unknown_field(place: str) -> InvalidRequest:
    """The error for a field that nothing there has."""
    return InvalidRequest(
        f"Unknown parameter: '{place}'. Remove it.", param=place, kind="unknown_parameter"
    )


def values_at(path: str, kind: Any) -> list[str]:
    """The values that the field at a path such as `[0].kind` takes, where it takes no others."""
    held = [inspect.type_info(kind)]
    for step in _STEP.findall(path):
        held = [inner for each in held for inner in _inside(each, step)]
    found = (str(value) for each in held for value in _values(each))
    return [*dict.fromkeys(found)]  # kinds of one union have fields in common


def _inside(kind: inspect.Type, step: str) -> Iterator[inspect.Type]:
    match kind:
        case inspect.UnionType():
            for one in kind.types:
                yield from _inside(one, step)
        case inspect.StructType():
            yield from (field.type for field in kind.fields if field.encode_name == step)
            if step == kind.tag_field:
                yield inspect.LiteralType((kind.tag,))
        case inspect.CollectionType():
            yield kind.item_type
        case inspect.DictType():
            yield kind.key_type if step == _KEY else kind.value_type
        case inspect.Metadata():
            yield from _inside(kind.type, step)


def _values(kind: inspect.Type) -> Iterator[object]:
    match kind:
        case inspect.UnionType():
            for one in kind.types:
                yield from _values(one)
        case inspect.LiteralType():
            yield from kind.values
        case inspect.EnumType():
            yield from (member.value for member in kind.cls)


def _joined(path: str, field: str) -> str:
    return f"{path}.{field}" if path else field
