"""What OpenAI's chat completions are told beside plain text: calls, their outputs, images, files.

Images and files are passed on as they are, without a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final, assert_never

from shared.messages.item import FunctionCall, FunctionCallOutput, Item, MessageItem, Role
from shared.messages.part import (
    Content,
    FilePart,
    ImagePart,
    InputTextPart,
    OutputTextPart,
    Part,
    RefusalPart,
)
from shared.messages.tool import FunctionTool, ToolChoice
from workers.providers.provider import Prompt, Saying
from workers.providers.wire.asking.answered_calls import (
    UncarriedError,
    check_is_text,
    id_from,
    parts_of,
    with_answered_calls,
    with_names_in_text,
)
from workers.providers.wire.asking.thoughts import OwnThoughts
from workers.providers.wire.chat_completions import PARTS_OF_THOUGHT

Told = dict[str, object]

_NO_PARAMETERS: Final = {"type": "object", "properties": {}}
"""The schema of a function without arguments."""
_LONGEST_ID: Final = 40
"""What OpenAI's own server takes."""
_THOUGHT_TEXTS: Final = ("reasoning_content", "reasoning")
_PARTS_OF_THOUGHT: Final = frozenset(PARTS_OF_THOUGHT)
_FOLLOWS: Final = "It follows."
"""Stands for the text of an output that has none."""
_INSTRUCTING: Final = frozenset(role for role in Role if role.instructs)


def chat_messages(items: Iterable[Item], thoughts: OwnThoughts) -> list[Told]:
    """The conversation in messages; raises UncarriedError where there are no words for it."""
    carried = thoughts.alone_in(with_names_in_text(items, _INSTRUCTING))
    conversation = with_answered_calls(list(carried))
    messages: list[Told] = []
    if conversation.instructions:
        messages.append({"role": Role.SYSTEM.value, "content": conversation.instructions})
    for saying in conversation.spoken:
        is_models = saying.role is Role.ASSISTANT
        messages += _of_model(saying, thoughts) if is_models else _of_user(saying)
    return messages


def told_tools(prompt: Prompt, *, narrows: bool) -> Told:
    """The tools, and which of them may be asked for.

    Where it `narrows`, only those that may be are told: few servers but OpenAI's know a list of
    what is allowed.
    """
    tools, choice = prompt.tools, prompt.tool_choice
    if choice is not None and choice.names and narrows:
        tools = tuple(tool for tool in tools if tool.name in choice.names)
        if choice.mode != "required" or len(choice.names) > 1:
            choice = ToolChoice(choice.mode)
    told: Told = {"tools": [_tool(tool) for tool in tools]}
    if choice is not None:
        told["tool_choice"] = _choice(choice)
    if prompt.parallel_tool_calls is not None:
        told["parallel_tool_calls"] = prompt.parallel_tool_calls
    return told


def _tool(tool: FunctionTool) -> Told:
    function: Told = {"name": tool.name, "parameters": tool.parameters or _NO_PARAMETERS}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> str | Told:
    if not choice.names or choice.mode == "none":
        return choice.mode
    named = [_named(name) for name in choice.names]
    if choice.mode == "required" and len(named) == 1:
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _named(name: str) -> Told:
    return {"type": "function", "function": {"name": name}}


def _of_model(saying: Saying, thoughts: OwnThoughts) -> Iterator[Told]:
    for item in saying.items:
        if isinstance(item, MessageItem):
            check_is_text(item)
    message: Told = {"role": Role.ASSISTANT.value, "content": saying.text or None}
    names = {item.name for item in saying.items if isinstance(item, MessageItem)}
    if len(names) == 1 and (name := names.pop()):
        message["name"] = name
    if calls := [_call(item) for item in saying.items if isinstance(item, FunctionCall)]:
        message["tool_calls"] = calls
    blocks = [block for item in saying.items for block in thoughts.blocks(item)]
    yield message | _thought(blocks)


def _thought(blocks: list[Told]) -> Told:
    """In the field, or in the parts, in which the server told it."""
    for name in _THOUGHT_TEXTS:
        if texts := [text for block in blocks if isinstance(text := block.get(name), str)]:
            return {name: "".join(texts)}
    parts = [block for block in blocks if _is_part(block)]
    return {"reasoning_details": parts} if parts else {}


def _is_part(block: Told) -> bool:
    are_plain = all(isinstance(value, str | int) for value in block.values())
    return are_plain and "type" in block and block.keys() <= _PARTS_OF_THOUGHT


def _call(call: FunctionCall) -> Told:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": _told_id(call.call_id), "type": "function", "function": function}


def _of_user(saying: Saying) -> Iterator[Told]:
    outputs = [item for item in saying.items if isinstance(item, FunctionCallOutput)]
    for output in outputs:
        yield {
            "role": "tool",
            "tool_call_id": _told_id(output.call_id),
            "content": output.text() or ("" if _is_text(output.output) else _FOLLOWS),
        }
    said = [_beside_text(output) for output in outputs if not _is_text(output.output)]
    said += [item for item in saying.items if isinstance(item, MessageItem)]
    for name, messages in groupby(said, attrgetter("name")):
        # What stands behind the content would part it from what the next turn begins with.
        told: Told = {"role": Role.USER.value, **({"name": name} if name else {})}
        yield {**told, "content": _content(list(messages))}


def _is_text(content: Content) -> bool:
    return isinstance(content, str) or all(part.is_text for part in content)


def _beside_text(output: FunctionCallOutput) -> MessageItem:
    """What an output holds beside its text: the message of a tool is text alone."""
    parts = [part for part in output.output if not isinstance(part, str) and not part.is_text]
    about = InputTextPart(f"Output of the call {_told_id(output.call_id)}:")
    return MessageItem(Role.USER, [about, *parts])


def _content(messages: Sequence[MessageItem]) -> str | list[Told]:
    """A text, or parts where there is more than text."""
    if all(message.only_text for message in messages):
        return Saying(Role.USER, tuple(messages)).text
    return [_part(part) for message in messages for part in parts_of(message.content)]


def _part(part: Part) -> Told:
    match part:
        case InputTextPart() | OutputTextPart() | RefusalPart():
            return {"type": "text", "text": part.words()}
        case ImagePart():
            return {"type": "image_url", "image_url": _image(part)}
        case FilePart():
            return {"type": "file", "file": _file(part)}
        case _:
            assert_never(part)


def _image(part: ImagePart) -> Told:
    if part.image_url is None:
        raise UncarriedError(f"it cannot read the image '{part.file_id}'")
    detail = {} if part.detail is None else {"detail": part.detail}
    return {"url": part.image_url, **detail}


def _file(part: FilePart) -> Told:
    """An id is one of ours: under our key a provider may know another file by it."""
    if part.file_data is None:
        raise UncarriedError("it takes files by their content alone")
    name = {} if part.filename is None else {"filename": part.filename}
    return {"file_data": part.file_data, **name}


def _told_id(call_id: str) -> str:
    """The id, or one in its place that follows from it."""
    if len(call_id) <= _LONGEST_ID:
        return call_id
    return id_from(call_id)
