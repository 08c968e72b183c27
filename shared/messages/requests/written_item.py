"""An item as callers write it on Responses and on the queue: every kind's fields in one struct.

OpenAI's clients leave `type` out of messages, so no tag tells the kinds apart while they are read.
Each complaint names the item by its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from shared.decoding import missing_field
from shared.errors import InvalidRequest
from shared.messages.file_search.found_text import FoundText
from shared.messages.item import (
    FunctionCall,
    Item,
    ItemReference,
    MessageItem,
    ReasoningItem,
    Role,
    SearchCall,
)
from shared.messages.requests.breakpoints import output_item
from shared.messages.requests.unsupported import unsupported_item
from shared.messages.requests.written_part import (
    Foreign,
    WrittenContent,
    all_but,
    content_of,
    given,
    refuse_foreign,
)

WORDS: Final = {"waits": "async"}
"""Of fields that are words of Python's: how callers write them."""


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
    queries: tuple[str, ...] | None = None
    results: tuple[FoundText, ...] | None = None
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
    refuse_foreign(written, foreign, place)
    return build(written, place)


def _message(written: WrittenItem, place: str) -> Item:
    role, content = written.role, written.content
    if role is None:
        raise missing_field(f"{place}.role")
    if content is msgspec.UNSET:
        raise missing_field(f"{place}.content")
    said = content_of(content or "", place, "content", is_models=role is Role.ASSISTANT)
    return MessageItem(role, said, written.id, written.name, written.status, written.phase)


def _call(written: WrittenItem, place: str) -> Item:
    return FunctionCall(
        call_id=given(written.call_id, f"{place}.call_id"),
        name=given(written.name, f"{place}.name"),
        arguments=given(written.arguments, f"{place}.arguments"),
        id=written.id,
        status=written.status,
    )


def _output(written: WrittenItem, place: str) -> Item:
    output = written.output
    if output is None:
        raise missing_field(f"{place}.output")
    return output_item(
        given(written.call_id, f"{place}.call_id"),
        content_of(output, place, "output", is_models=False),
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


def _search(written: WrittenItem, place: str) -> Item:
    return SearchCall(
        queries=written.queries or (),
        results=written.results,
        id=given(written.id, f"{place}.id"),
        status=written.status,
    )


def _reference(written: WrittenItem, place: str) -> Item:
    return ItemReference(given(written.id, f"{place}.id"))


_FOREIGN_TO_MESSAGES: Final = all_but(
    WrittenItem, "role", "content", "id", "name", "status", "phase"
)
_ITEMS: Final[dict[str, tuple[Callable[[WrittenItem, str], Item], Foreign]]] = {
    "message": (_message, _FOREIGN_TO_MESSAGES),
    "function_call": (
        _call,
        all_but(WrittenItem, "call_id", "name", "arguments", "id", "status"),
    ),
    "function_call_output": (_output, all_but(WrittenItem, "call_id", "output", "id", "status")),
    "reasoning": (
        _reasoning,
        all_but(WrittenItem, "id", "summary", "content", "encrypted_content", "status"),
    ),
    "file_search_call": (_search, all_but(WrittenItem, "id", "queries", "results", "status")),
    "item_reference": (_reference, all_but(WrittenItem, "id")),
}
