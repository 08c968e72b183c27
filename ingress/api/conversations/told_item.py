"""An item as it is told in a list: whole, with an id, in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, get_args

import msgspec

from shared.messages.file_search.found_text import OutputSearch
from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    MessageItem,
    ReasoningItem,
    Role,
    SearchCall,
)
from shared.messages.output import OutputCall, Status
from shared.messages.part import Content, ImagePart, OutputTextPart, Part, text_part

_STATUSES: Final = frozenset(get_args(Status))
_Words = list[dict[str, Any]]


class ToldMessage(msgspec.Struct, frozen=True, tag_field="type", tag="message"):
    """What somebody said."""

    id: str
    role: Role
    content: _Words
    status: Status = "completed"
    name: str | msgspec.UnsetType = msgspec.UNSET
    phase: str | msgspec.UnsetType = msgspec.UNSET


class ToldOutput(msgspec.Struct, frozen=True, tag_field="type", tag="function_call_output"):
    """What the tool gave back."""

    id: str
    call_id: str
    output: str | _Words
    status: Status = "completed"


class ToldThought(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning"):
    """What a model thought, as far as its provider says."""

    id: str
    summary: list[dict[str, str]]
    content: list[dict[str, str]] | msgspec.UnsetType = msgspec.UNSET
    encrypted_content: str | None = None
    status: Status = "completed"


ToldItem = ToldMessage | OutputCall | ToldOutput | ToldThought | OutputSearch


class ItemList(msgspec.Struct, frozen=True):
    """A page of items; its ids are empty where there are none."""

    data: list[ToldItem]
    first_id: str
    last_id: str
    has_more: bool
    object: Literal["list"] = "list"


def told_item(item_id: str, item: Item) -> ToldItem:
    """The item under this id. All of it: nothing waits to be asked for by `include`."""
    if isinstance(item, MessageItem):
        return ToldMessage(
            item_id,
            item.role,
            _parts(item.content, is_models=item.role is Role.ASSISTANT),
            _status(item.status),
            item.name or msgspec.UNSET,
            item.phase or msgspec.UNSET,
        )
    if isinstance(item, FunctionCall):
        return OutputCall(item_id, item.call_id, item.name, item.arguments, _status(item.status))
    if isinstance(item, FunctionCallOutput):
        output = item.output if isinstance(item.output, str) else _parts(item.output)
        return ToldOutput(item_id, item.call_id, output, _status(item.status))
    if isinstance(item, ReasoningItem):
        return ToldThought(
            item_id,
            list(item.summary),
            list(item.content) or msgspec.UNSET,
            item.encrypted_content,
            _status(item.status),
        )
    if isinstance(item, SearchCall):
        return OutputSearch(item_id, item.queries, _status(item.status), item.results)
    raise ValueError(f"'{item.id}' is a reference, and stands for nothing in a ledger.")


def item_list(items: Sequence[ToldItem], *, has_more: bool) -> ItemList:
    """A page of those."""
    return ItemList(
        data=[*items],
        first_id=items[0].id if items else "",
        last_id=items[-1].id if items else "",
        has_more=has_more,
    )


def _parts(content: Content, *, is_models: bool = False) -> _Words:
    parts = [text_part(content, is_models)] if isinstance(content, str) else content
    return [_part(part) for part in parts]


def _part(part: Part) -> dict[str, Any]:
    """With what it leaves out in a body because it says nothing."""
    told: dict[str, Any] = msgspec.to_builtins(part)
    if isinstance(part, OutputTextPart):
        return {"annotations": [], "logprobs": []} | told
    if isinstance(part, ImagePart):
        return {"detail": "auto"} | told
    return told


def _status(status: str | None) -> Status:
    """Callers may have said anything, or nothing."""
    return status if status in _STATUSES else "completed"  # type: ignore[return-value]
