"""What Anthropic's messages are told beside plain text: tools, calls, their outputs, images, files.

The detail of an image has no word there. Who has a name says it with the first words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, assert_never

import msgspec

from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import (
    Content,
    FilePart,
    ImagePart,
    InputTextPart,
    OutputTextPart,
    Part,
    RefusalPart,
    breakpoint_of,
)
from workers.providers.provider import Conversation, Saying
from workers.providers.wire.asking.answered_calls import (
    UncarriedError,
    check_is_text,
    id_from,
    parts_of,
    with_answered_calls,
    with_names_in_text,
)
from workers.providers.wire.asking.cache_marks import marked
from workers.providers.wire.asking.documents import document, image
from workers.providers.wire.asking.thoughts import Block, OwnThoughts
from workers.providers.wire.loose_json import UnreadableError, decoded

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_THOUGHTS: Final = {
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
}
"""The fields of each kind: what has others, or lacks one, is not what the model thought."""


def in_blocks(
    items: Iterable[Item], thoughts: OwnThoughts, *, keeps: bool
) -> tuple[str | list[Block], list[Block]]:
    """Instructions and messages; raises UncarriedError where there are no words for a part.

    Where it `keeps` what the caller says may be kept, each part is a block of its own, marked or
    not: the same parts are the same blocks when the marks have moved on in the next turn.
    """
    carried = list(thoughts.alone_in(with_names_in_text(items, Role)))
    conversation = with_answered_calls(carried)
    instructions: str | list[Block] = conversation.instructions
    if keeps and instructions:
        instructing = [item for item in carried if isinstance(item, MessageItem)]
        instructions = [
            _block(part)
            for item in instructing
            if item.role.instructs
            for part in parts_of(item.content)
        ]
    return instructions, list(_Messages(conversation, thoughts, keeps=keeps))


class _Messages:
    """Gives each call an id that Anthropic takes, and that no other call has."""

    def __init__(self, conversation: Conversation, thoughts: OwnThoughts, *, keeps: bool) -> None:
        self._spoken = conversation.spoken
        self._keeps = keeps
        self._thoughts = thoughts
        self._taken = set[str]()
        self._ids = dict[str, str]()

    def __iter__(self) -> Iterator[Block]:
        for saying in self._spoken:
            is_text = all(isinstance(each, MessageItem) and each.only_text for each in saying.items)
            if is_text and not self._keeps:
                yield {"role": saying.role.value, "content": saying.text}
            else:
                blocks = self._of_model if saying.role is Role.ASSISTANT else self._of_user
                yield {"role": saying.role.value, "content": list(blocks(saying))}

    def _of_model(self, saying: Saying) -> Iterator[Block]:
        """What was thought, said, and asked for, in this order."""
        for item in saying.items:
            yield from filter(_is_thought, self._thoughts.blocks(item))
        for item in saying.items:
            if isinstance(item, MessageItem):
                check_is_text(item)
                yield from map(_block, parts_of(item.content))
        for item in saying.items:
            if isinstance(item, FunctionCall):
                yield self._call(item)

    def _call(self, call: FunctionCall) -> Block:
        self._ids[call.call_id] = told = _told_id(call.call_id, self._taken)
        self._taken.add(told)
        block = {"type": "tool_use", "id": told, "name": call.name, "input": _input(call)}
        return block | marked(call.cache_control)

    def _of_user(self, saying: Saying) -> Iterator[Block]:
        """The outputs first: they are refused behind anything else."""
        for item in saying.items:
            if isinstance(item, FunctionCallOutput):
                yield {
                    "type": "tool_result",
                    "tool_use_id": self._ids[item.call_id],
                    **_output(item.output),
                    **({"is_error": True} if item.has_failed else {}),
                    **marked(item.cache_control),
                }
        for item in saying.items:
            if isinstance(item, MessageItem):
                yield from map(_block, parts_of(item.content))


def _output(output: Content) -> dict[str, str | Sequence[Block]]:
    parts = list(parts_of(output))
    if not parts:
        return {}
    return {"content": output if isinstance(output, str) else list(map(_block, parts))}


def _input(call: FunctionCall) -> msgspec.Raw:
    """The arguments byte for byte; they must be an object."""
    arguments = call.arguments.strip() or "{}"
    try:
        if isinstance(decoded(arguments), dict):
            return msgspec.Raw(arguments.encode())
    except (UnreadableError, UnicodeError):
        pass
    raise UncarriedError(f"the arguments of the call '{call.call_id[:64]}' are no JSON object")


def _block(part: Part) -> Block:
    match part:
        case InputTextPart() | OutputTextPart() | RefusalPart():
            return {"type": "text", "text": part.words()} | marked(breakpoint_of(part))
        case ImagePart():
            return image(part) | marked(part.cache_control)
        case FilePart():
            return document(part) | marked(part.cache_control)
        case _:
            assert_never(part)


def _is_thought(block: Block) -> bool:
    kind = block.get("type")
    known = _THOUGHTS.get(kind) if isinstance(kind, str) else None
    return block.keys() == known and all(isinstance(value, str) for value in block.values())


def _told_id(call_id: str, taken: set[str]) -> str:
    """The id itself, or one that follows from it and from those before."""
    if _ID.fullmatch(call_id) and call_id not in taken:
        return call_id
    return id_from(f"{len(taken)} {call_id}")
