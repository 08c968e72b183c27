"""Up to where in a message providers may keep what they have read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from shared.errors import InvalidRequest
from shared.messages.body import Body
from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemReference,
    MessageItem,
    ReasoningItem,
    Role,
    SearchCall,
)
from shared.messages.part import (
    KEEPS,
    CacheBreakpoint,
    Content,
    breakpoint_of,
    text_part,
    unmarked,
    with_breakpoint,
)
from shared.messages.requests.calls import Place

MOST_BREAKPOINTS: Final = 4
"""What Anthropic's models take in one prompt."""


class ExplicitBreakpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to here a provider may keep what it has read, in OpenAI's words."""

    mode: Literal["explicit"]


def breakpoint_at(
    kept: CacheBreakpoint | None, explicit: ExplicitBreakpoint | None
) -> CacheBreakpoint | None:
    """The one that either word says."""
    return kept or (KEEPS if explicit is not None else None)


def breakpoints_of(item: Item) -> list[CacheBreakpoint]:
    """Up to where in it a provider may keep what it has read, in order."""
    if isinstance(item, MessageItem):
        if isinstance(item.content, str):
            return []
        return [kept for part in item.content if (kept := breakpoint_of(part)) is not None]
    if isinstance(item, FunctionCall | FunctionCallOutput) and item.cache_control is not None:
        return [item.cache_control]
    return []


def kept_up_to(item: Item, kept: CacheBreakpoint | None) -> Item:
    """The item, up to whose end a provider may keep what it has read; as it is for None."""
    if kept is None or isinstance(item, ReasoningItem | ItemReference | SearchCall):
        return item
    if not isinstance(item, MessageItem):
        return msgspec.structs.replace(item, cache_control=kept.spelled())
    said = item.content
    if isinstance(said, str):
        said = [text_part(said, item.role is Role.ASSISTANT)] if said else []
    if not said:
        return item
    parts = [*said[:-1], with_breakpoint(said[-1], kept)]
    return msgspec.structs.replace(item, content=parts)


def output_item(
    call_id: str,
    output: Content,
    *,
    id: str | None = None,  # noqa: A002 - of the item's field
    status: str | None = None,
) -> Item:
    """What a tool gave back. Where a part of it says that all may be kept, that is the whole."""
    kept = [] if isinstance(output, str) else list(filter(None, map(breakpoint_of, output)))
    item = FunctionCallOutput(call_id, unmarked(output), id=id, status=status)
    return kept_up_to(item, kept[-1] if kept else None)


def check_breakpoints(body: Body, place: Place) -> None:
    """Raises InvalidRequest naming the place of the first that no provider would take."""
    before: CacheBreakpoint | None = None
    for nth, (where, kept) in enumerate(_breakpoints(body, place)):
        if nth == MOST_BREAKPOINTS:
            raise _refused(where, f"has more than {MOST_BREAKPOINTS} before it or in it")
        if kept.ttl is not None and before is not None and before.ttl is None:
            raise _refused(where, "is kept for an hour behind one of five minutes")
        before = kept


def _breakpoints(body: Body, place: Place) -> Iterator[tuple[str, CacheBreakpoint]]:
    """In the order in which a model reads."""
    for index, tool in enumerate(body.tools or ()):
        if tool.cache_control is not None:
            yield f"tools[{index}]", tool.cache_control
    for index, item in enumerate(body.input):
        for kept in breakpoints_of(item):
            yield place(index), kept


def _refused(place: str, fault: str) -> InvalidRequest:
    return InvalidRequest(
        f"The 'cache_control' of '{place}' {fault}. Remove one.", param=f"{place}.cache_control"
    )
