"""Chat's messages, and the items that they mean: one message may be several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

import msgspec

from shared.decoding import missing_field, unknown_field
from shared.messages.item import FunctionCall, Item, MessageItem, Role
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
from shared.messages.requests.breakpoints import (
    ExplicitBreakpoint,
    breakpoint_at,
    kept_up_to,
    output_item,
)

_ROLES: Final[dict[str, Role]] = {role.value: role for role in Role}
Empty = Annotated[list[object], msgspec.Meta(max_length=0)]


class ChatImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An image by its address or as a data URL."""

    url: str
    detail: Literal["low", "high", "auto"] | None = None


class ChatFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file by its id, or with its content."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class ChatPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of a message's content: the field that bears its type, and no other."""

    type: Literal["text", "refusal", "image_url", "file"] = "text"
    text: str | None = None
    refusal: str | None = None
    image_url: ChatImage | None = None
    file: ChatFile | None = None
    cache_control: CacheBreakpoint | None = None
    prompt_cache_breakpoint: ExplicitBreakpoint | None = None


class CalledFunction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was called, with arguments in JSON.

    `parsed_arguments` is what OpenAI's client read out of them, and sends back with them.
    """

    name: str
    arguments: str
    parsed_arguments: object = msgspec.UNSET


class ChatToolCall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model asks for a tool. Clients that put it together from chunks send its `index` too."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"
    index: int | msgspec.UnsetType | None = msgspec.UNSET


class ChatMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who said what. `refusal` and what follows is what an answer has, sent back.

    `parsed` is what OpenAI's client read out of the content.
    """

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | Annotated[list[ChatPart], msgspec.Meta(min_length=1)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=128)] | None = None
    refusal: str | None = None
    tool_calls: list[ChatToolCall] | None = None
    tool_call_id: str | None = None
    annotations: Empty | None = None
    audio: None = None
    function_call: None = None
    parsed: object = None
    cache_control: CacheBreakpoint | None = None


def items_of_chat(messages: list[ChatMessage]) -> tuple[list[Item], list[int]]:
    """The items, and for each the index of the message that it stands in.

    Raises InvalidRequest for what a message lacks, or has and should not, by its place.
    """
    items, origins = list[Item](), list[int]()
    for index, message in enumerate(messages):
        if isinstance(message.content, str) and _is_plain(message):
            items.append(MessageItem(_ROLES[message.role], message.content, name=message.name))
            origins.append(index)
            continue
        meant = list(_items(message, f"messages[{index}]"))
        meant[-1] = kept_up_to(meant[-1], message.cache_control)
        items += meant
        origins += [index] * len(meant)
    return items, origins


def _is_plain(message: ChatMessage) -> bool:
    """Whether there is nothing beside its content, as with almost all."""
    beside = message.refusal or message.tool_calls or message.tool_call_id or message.cache_control
    return beside is None and message.role in _ROLES


def _items(message: ChatMessage, place: str) -> Iterator[Item]:
    if message.role == "tool":
        yield _output(message, place)
        return
    if message.tool_call_id is not None:
        raise unknown_field(f"{place}.tool_call_id")
    role = _ROLES[message.role]
    calls = message.tool_calls or ()
    if calls and role is not Role.ASSISTANT:
        raise unknown_field(f"{place}.tool_calls")
    content = _content(message, place, is_models=role is Role.ASSISTANT)
    if content or not calls:
        yield MessageItem(role, content, name=message.name)
    for call in calls:
        yield FunctionCall(call.id, call.function.name, call.function.arguments)


def _output(message: ChatMessage, place: str) -> Item:
    if message.tool_call_id is None:
        raise missing_field(f"{place}.tool_call_id")
    for name in ("tool_calls", "refusal"):
        if getattr(message, name):
            raise unknown_field(f"{place}.{name}")
    return output_item(message.tool_call_id, _content(message, place, is_models=False))


def _content(message: ChatMessage, place: str, *, is_models: bool) -> Content:
    said = message.content or []
    if isinstance(said, str):
        parts: list[Part] = [text_part(said, is_models)]
    else:
        places = (f"{place}.content[{nth}]" for nth in range(len(said)))
        parts = [
            _part(part, at, is_models=is_models) for part, at in zip(said, places, strict=True)
        ]
    if message.refusal:
        parts.append(RefusalPart(message.refusal))
    return spelled(parts) if parts else ""


def _part(written: ChatPart, place: str, *, is_models: bool) -> Part:
    values: dict[str, str | ChatImage | ChatFile | None] = {
        "text": written.text,
        "refusal": written.refusal,
        "image_url": written.image_url,
        "file": written.file,
    }
    value = values.pop(written.type)
    if value is None:
        raise missing_field(f"{place}.{written.type}")
    for name, other in values.items():
        if other is not None:
            raise unknown_field(f"{place}.{name}")
    kept = breakpoint_at(written.cache_control, written.prompt_cache_breakpoint)
    return with_breakpoint(_made(value, written.type, is_models), kept)


def _made(value: str | ChatImage | ChatFile, kind: str, is_models: bool) -> Part:
    if isinstance(value, ChatImage):
        return ImagePart(value.url, detail=value.detail)
    if isinstance(value, ChatFile):
        return FilePart(value.file_id, file_data=value.file_data, filename=value.filename)
    return RefusalPart(value) if kind == "refusal" else text_part(value, is_models)
