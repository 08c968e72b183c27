"""A part of an item's content as callers write it, and what kinds of either have not."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec

from shared.decoding import missing_field, unknown_field
from shared.messages.part import (
    CacheBreakpoint,
    Content,
    FilePart,
    ImagePart,
    Part,
    RefusalPart,
    spelled,
    text_part,
    with_breakpoint,
)
from shared.messages.requests.breakpoints import ExplicitBreakpoint, breakpoint_at
from shared.messages.requests.unsupported import unsupported_part

Detail = Literal["low", "high", "auto", "original"]


class WrittenPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of an item's content."""

    type: str = "input_text"
    text: str | None = None
    annotations: list[object] | None = None
    logprobs: list[object] | None = None
    refusal: str | None = None
    image_url: str | None = None
    detail: Detail | None = None
    file_id: str | None = None
    file_url: str | None = None
    file_data: str | None = None
    filename: str | None = None
    cache_control: CacheBreakpoint | None = None
    prompt_cache_breakpoint: ExplicitBreakpoint | None = None


WrittenContent = str | list[WrittenPart]


def content_of(written: WrittenContent, place: str, name: str, *, is_models: bool) -> Content:
    """The content; raises InvalidRequest for a part that is none, naming its place."""
    if isinstance(written, str):
        return written
    parts = enumerate(written)
    return spelled(
        [_part(part, f"{place}.{name}[{nth}]", is_models=is_models) for nth, part in parts]
    )


def _part(written: WrittenPart, place: str, *, is_models: bool) -> Part:
    kept = breakpoint_at(written.cache_control, written.prompt_cache_breakpoint)
    return with_breakpoint(_said(written, place, is_models=is_models), kept)


def _said(written: WrittenPart, place: str, *, is_models: bool) -> Part:
    foreign = _FOREIGN_TO_PARTS.get(written.type)
    if foreign is None:
        raise unsupported_part(place, written.type)
    refuse_foreign(written, foreign, place)
    if foreign is _TEXT:
        if written.text is None:
            raise missing_field(f"{place}.text")
        return text_part(written.text, is_models, written.annotations, written.logprobs)
    if written.type == "refusal":
        return RefusalPart(given(written.refusal, f"{place}.refusal"))
    if written.type == "input_image":
        return ImagePart(written.image_url, written.file_id, written.detail)
    return FilePart(written.file_id, written.file_url, written.file_data, written.filename)


def given(value: str | None, place: str) -> str:
    """The value; raises InvalidRequest where there is none."""
    if value is None:
        raise missing_field(place)
    return value


_HINTS: Final = ("cache_control", "prompt_cache_breakpoint")
Foreign = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[Any, ...]]
"""What a kind has not: names, how to read them, and what is read where they are absent."""


def refuse_foreign(written: msgspec.Struct, foreign: Foreign, place: str) -> None:
    """Nothing that another kind has is dropped in silence."""
    names, values_of, absent = foreign
    values = values_of(written)
    if values == absent:
        return
    for name, value in zip(names, values, strict=True):
        if value is not None and value is not msgspec.UNSET:
            raise unknown_field(f"{place}.{name}")


def all_but(kind: type[msgspec.Struct], *own: str) -> Foreign:
    """What a kind has not that has these fields alone."""
    names = tuple(name for name in kind.__struct_fields__ if name not in {"type", *_HINTS, *own})
    values_of = attrgetter(*names)
    return names, values_of, values_of(kind())


_TEXT: Final = all_but(WrittenPart, "text", "annotations", "logprobs")
_FOREIGN_TO_PARTS: Final = {
    "text": _TEXT,
    "input_text": _TEXT,
    "output_text": _TEXT,
    "refusal": all_but(WrittenPart, "refusal"),
    "input_image": all_but(WrittenPart, "image_url", "file_id", "detail"),
    "input_file": all_but(WrittenPart, "file_id", "file_url", "file_data", "filename"),
}
