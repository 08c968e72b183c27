"""Anthropic's messages, and the items that they mean: one message may be several."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

import msgspec

from shared.errors import InvalidRequest
from shared.messages.item import FAILED_OUTPUT, FunctionCall, Item, MessageItem, ReasoningItem, Role
from shared.messages.part import (
    FilePart,
    ImagePart,
    InputTextPart,
    Part,
    spelled,
    text_part,
    with_breakpoint,
)
from shared.messages.requests.breakpoints import kept_up_to, output_item
from shared.messages.requests.calls import check_part
from shared.surfaces.messages.blocks import (
    Base64Document,
    Base64Image,
    Block,
    ConversationMessage,
    DocumentBlock,
    FileSource,
    ImageBlock,
    PlainTextSource,
    RedactedThinkingBlock,
    SaidBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UrlSource,
)

_SAYS: Final[dict[str, tuple[type[Block], ...]]] = {
    "user": (TextBlock, ImageBlock, DocumentBlock, ToolResultBlock),
    "assistant": (TextBlock, ThinkingBlock, RedactedThinkingBlock, ToolUseBlock),
    "system": (TextBlock,),
}


def items_of_messages(
    system: str | list[TextBlock] | None, messages: list[ConversationMessage]
) -> tuple[list[Item], list[str]]:
    """The items, what the system says before all others, and for each the place of its beginning.

    Raises InvalidRequest for what nobody in that role says, and for what cannot be passed on.
    """
    items, places = list[Item](), list[str]()
    if system:
        items.append(MessageItem(Role.SYSTEM, _system(system)))
        places.append("system")
    for index, message in enumerate(messages):
        for item, place in _items(message, f"messages[{index}]"):
            items.append(item)
            places.append(place)
    return items, places


def _system(said: str | list[TextBlock]) -> str | list[Part]:
    return (
        said
        if isinstance(said, str)
        else spelled([with_breakpoint(InputTextPart(one.text), one.cache_control) for one in said])
    )


def _items(message: ConversationMessage, place: str) -> Iterator[tuple[Item, str]]:
    """Neighbouring blocks of what is said are one item; calls and their outputs one each."""
    role = Role(message.role)
    if isinstance(message.content, str):
        yield MessageItem(role, message.content), place
        return
    said, begun = list[Part](), place
    for nth, block in enumerate(message.content):
        at = f"{place}.content[{nth}]"
        if not isinstance(block, _SAYS[message.role]):
            raise _misplaced(at, block, message.role)
        if isinstance(block, SaidBlock):
            begun = begun if said else at
            parts = _parts(block, at, is_models=role is Role.ASSISTANT)
            said += [*parts[:-1], with_breakpoint(parts[-1], block.cache_control)]
            continue
        if said:
            yield MessageItem(role, spelled(said)), begun
            said = []
        yield _beside_text(block, at), at
    if said:
        yield MessageItem(role, spelled(said)), begun


def _beside_text(
    block: ToolUseBlock | ToolResultBlock | ThinkingBlock | RedactedThinkingBlock, place: str
) -> Item:
    match block:
        case ToolUseBlock():
            arguments = msgspec.json.encode(block.input).decode()
            return kept_up_to(FunctionCall(block.id, block.name, arguments), block.cache_control)
        case ToolResultBlock():
            status = FAILED_OUTPUT if block.is_error else None
            output = output_item(block.tool_use_id, _output(block, place), status=status)
            return kept_up_to(output, block.cache_control)
        case ThinkingBlock():
            told = ({"type": "summary_text", "text": block.thinking},) if block.thinking else ()
            return ReasoningItem(summary=told, encrypted_content=block.signature or None)
        case RedactedThinkingBlock():
            return ReasoningItem(encrypted_content=block.data)
        case _:
            assert_never(block)


def _output(block: ToolResultBlock, place: str) -> str | list[Part]:
    said = block.content or ""
    if isinstance(said, str):
        return said
    places = (f"{place}.content[{nth}]" for nth in range(len(said)))
    told = zip(said, places, strict=True)
    parts = [
        with_breakpoint(part, one.cache_control)
        for one, at in told
        for part in _parts(one, at, is_models=False)
    ]
    return spelled(parts)


def _parts(block: SaidBlock, place: str, *, is_models: bool) -> list[Part]:
    match block:
        case TextBlock():
            return [text_part(block.text, is_models)]
        case ImageBlock():
            return [_image(block, place)]
        case DocumentBlock():
            return _document(block, place)
        case _:
            assert_never(block)


def _image(block: ImageBlock, place: str) -> ImagePart:
    source = block.source
    match source:
        case Base64Image():
            image = ImagePart(f"data:{source.media_type};base64,{source.data}")
        case UrlSource():
            image = ImagePart(source.url)
        case FileSource():
            image = ImagePart(file_id=source.file_id)
        case _:
            assert_never(source)
    check_part(image, place)
    return image


def _document(block: DocumentBlock, place: str) -> list[Part]:
    """What is said about it stands before it, as text; a document that is text is text."""
    if block.citations is not None and block.citations.enabled:
        raise InvalidRequest(
            f"'{place}.citations' cannot be had. Remove it.", param=f"{place}.citations"
        )
    about: list[Part] = [InputTextPart(block.context)] if block.context else []
    if isinstance(block.source, PlainTextSource):
        title: list[Part] = [InputTextPart(block.title)] if block.title else []
        return [*title, *about, InputTextPart(block.source.data)]
    file = _file(block.source, block.title)
    check_part(file, place)
    return [*about, file]


def _file(source: Base64Document | UrlSource | FileSource, name: str | None) -> FilePart:
    match source:
        case Base64Document():
            content = f"data:{source.media_type};base64,{source.data}"
            return FilePart(file_data=content, filename=name)
        case UrlSource():
            return FilePart(file_url=source.url, filename=name)
        case FileSource():
            return FilePart(source.file_id, filename=name)
        case _:
            assert_never(source)


def _misplaced(place: str, block: Block, role: str) -> InvalidRequest:
    return InvalidRequest(
        f"'{place}' is a block of type '{block.kind}', which no message of role '{role}' has. "
        "Remove it, or move it.",
        param=place,
    )
