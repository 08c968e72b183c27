"""An item as callers write it on Responses and on the queue: every kind's fields in one struct.

OpenAI's clients leave `type` out of messages, so no tag tells the kinds apart while they are read.
Each complaint names the item by its place.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec

from shared.decoding import missing_field, unknown_field
from shared.errors import InvalidRequest
from shared.messages.item import FunctionCall, Item, ItemReference, MessageItem, ReasoningItem, Role
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
from shared.messages.requests.breakpoints import ExplicitBreakpoint, breakpoint_at, output_item
from shared.messages.requests.unsupported import unsupported_item, unsupported_part

Detail = Literal["low", "high", "auto", "original"]

WORDS: Final = {"waits": "async"}
"""Of fields that are words of Python's: how callers write them."""


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


class WrittenItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename=WORDS):
    """One item of `input`. Without a `type` it is a message."""

    type: str = "message"
    role: Role | None = None
    content: WrittenContent | msgspec.UnsetType | None = msgspec.UNSET
    id: str | None = None
    name: str | None = None
    status: str | None = None
    phase: str | None = None
    call_id: str | None = None
    arguments: str | None = None
    output: WrittenContent | None = None
    summary: list[dict[str, str]] | None = None
    encrypted_content: str | None = None
    # OpenAI's alone; clients send them as null, and `async` by its name in Python as well.
    caller: None = None
    namespace: None = None
    waits: None = None
    async_: None = None
    created_by: None = None


def message_of_text(written: WrittenItem) -> MessageItem | None:
    """The message of one text, as almost all items are; None for every other, right or wrong."""
    role, content = written.role, written.content
    if role is None or not isinstance(content, str) or written.type != "message":
        return None
    _, values_of, absent = _FOREIGN_TO_MESSAGES
    if values_of(written) != absent:
        return None
    return MessageItem(role, content, written.id, written.name, written.status, written.phase)


def item_of(written: WrittenItem, place: str) -> Item:
    """The item; raises InvalidRequest for what its kind lacks, and for what it has not."""
    kind = _ITEMS.get(written.type)
    if kind is None:
        raise unsupported_item(place, written.type)
    build, foreign = kind
    _refuse_foreign(written, foreign, place)
    return build(written, place)


def _message(written: WrittenItem, place: str) -> Item:
    role, content = written.role, written.content
    if role is None:
        raise missing_field(f"{place}.role")
    if content is msgspec.UNSET:
        raise missing_field(f"{place}.content")
    said = _content(content or "", place, "content", is_models=role is Role.ASSISTANT)
    return MessageItem(role, said, written.id, written.name, written.status, written.phase)


def _call(written: WrittenItem, place: str) -> Item:
    return FunctionCall(
        call_id=_given(written.call_id, f"{place}.call_id"),
        name=_given(written.name, f"{place}.name"),
        arguments=_given(written.arguments, f"{place}.arguments"),
        id=written.id,
        status=written.status,
    )


def _output(written: WrittenItem, place: str) -> Item:
    output = written.output
    if output is None:
        raise missing_field(f"{place}.output")
    return output_item(
        _given(written.call_id, f"{place}.call_id"),
        _content(output, place, "output", is_models=False),
        id=written.id,
        status=written.status,
    )


def _reasoning(written: WrittenItem, place: str) -> Item:
    thought = written.content or []
    if isinstance(thought, str):
        raise InvalidRequest(
            f"'{place}.content' must be a list of parts.", param=f"{place}.content"
        )
    return ReasoningItem(
        id=written.id,
        summary=tuple(written.summary or ()),
        content=tuple({"type": part.type, "text": part.text or ""} for part in thought),
        encrypted_content=written.encrypted_content,
        status=written.status,
    )


def _reference(written: WrittenItem, place: str) -> Item:
    return ItemReference(_given(written.id, f"{place}.id"))


def _content(written: WrittenContent, place: str, name: str, *, is_models: bool) -> Content:
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
    _refuse_foreign(written, foreign, place)
    if foreign is _TEXT:
        if written.text is None:
            raise missing_field(f"{place}.text")
        return text_part(written.text, is_models, written.annotations, written.logprobs)
    if written.type == "refusal":
        return RefusalPart(_given(written.refusal, f"{place}.refusal"))
    if written.type == "input_image":
        return ImagePart(written.image_url, written.file_id, written.detail)
    return FilePart(written.file_id, written.file_url, written.file_data, written.filename)


def _given(value: str | None, place: str) -> str:
    if value is None:
        raise missing_field(place)
    return value


_HINTS: Final = ("cache_control", "prompt_cache_breakpoint")
Foreign = tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]], tuple[Any, ...]]
"""What a kind has not: names, how to read them, and what is read where they are absent."""


def _refuse_foreign(written: msgspec.Struct, foreign: Foreign, place: str) -> None:
    """Nothing that another kind has is dropped in silence."""
    names, values_of, absent = foreign
    values = values_of(written)
    if values == absent:
        return
    for name, value in zip(names, values, strict=True):
        if value is not None and value is not msgspec.UNSET:
            raise unknown_field(f"{place}.{name}")


def _all_but(kind: type[msgspec.Struct], *own: str) -> Foreign:
    names = tuple(name for name in kind.__struct_fields__ if name not in {"type", *_HINTS, *own})
    values_of = attrgetter(*names)
    return names, values_of, values_of(kind())


_FOREIGN_TO_MESSAGES: Final = _all_but(
    WrittenItem, "role", "content", "id", "name", "status", "phase"
)
_ITEMS: Final[dict[str, tuple[Callable[[WrittenItem, str], Item], Foreign]]] = {
    "message": (_message, _FOREIGN_TO_MESSAGES),
    "function_call": (
        _call,
        _all_but(WrittenItem, "call_id", "name", "arguments", "id", "status"),
    ),
    "function_call_output": (_output, _all_but(WrittenItem, "call_id", "output", "id", "status")),
    "reasoning": (
        _reasoning,
        _all_but(WrittenItem, "id", "summary", "content", "encrypted_content", "status"),
    ),
    "item_reference": (_reference, _all_but(WrittenItem, "id")),
}
_TEXT: Final = _all_but(WrittenPart, "text", "annotations", "logprobs")
_FOREIGN_TO_PARTS: Final = {
    "text": _TEXT,
    "input_text": _TEXT,
    "output_text": _TEXT,
    "refusal": _all_but(WrittenPart, "refusal"),
    "input_image": _all_but(WrittenPart, "image_url", "file_id", "detail"),
    "input_file": _all_but(WrittenPart, "file_id", "file_url", "file_data", "filename"),
}
