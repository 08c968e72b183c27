"""A conversation with tools as APIs demand it, and what no API could be told of it."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Final

import msgspec

from shared.errors import ForebayError
from shared.messages.item import (
    FunctionCall,
    FunctionCallOutput,
    Item,
    ItemReference,
    MessageItem,
    Role,
)
from shared.messages.part import Content, InputTextPart, Part
from workers.providers.provider import Conversation, Saying

_ID_BYTES: Final = 16
_SHOWN: Final = 64
"""Characters of an id in a reason."""


class UncarriedError(ForebayError):
    """An API has no words for a part of the prompt; the message says for which."""

    code = "uncarried"


def with_answered_calls(items: Sequence[Item]) -> Conversation:
    """The conversation; what came of calls stands directly behind them, before all else.

    Raises UncarriedError for a call that nothing answers, and for an output without its call.
    """
    for item in items:
        if isinstance(item, ItemReference):
            raise UncarriedError(f"nobody knows what '{item.id[:_SHOWN]}' stands for")
    conversation = Conversation.of(items)
    spoken = _answered(conversation.spoken)
    return Conversation(conversation.instructions, Saying.each_of(spoken))


def _answered(spoken: Sequence[Saying]) -> Iterator[Item]:
    outputs = defaultdict[str, deque[FunctionCallOutput]](deque)
    for saying in spoken:
        for item in saying.items:
            if isinstance(item, FunctionCallOutput):
                outputs[item.call_id].append(item)
    for saying in spoken:
        yield from (item for item in saying.items if not isinstance(item, FunctionCallOutput))
        for call in saying.items:
            if isinstance(call, FunctionCall):
                if not outputs[call.call_id]:
                    raise UncarriedError(f"nothing answers the call '{call.call_id[:_SHOWN]}'")
                yield outputs[call.call_id].popleft()
    for call_id, unasked in outputs.items():
        if unasked:
            raise UncarriedError(f"an output answers '{call_id[:_SHOWN]}', which is no call of it")


def with_names_in_text(items: Iterable[Item], roles: Iterable[Role]) -> Iterator[Item]:
    """The names of those who speak in these roles as the first words of what they say."""
    for item in items:
        if not isinstance(item, MessageItem) or item.name is None or item.role not in roles:
            yield item
        elif isinstance(item.content, str):
            yield msgspec.structs.replace(item, content=f"{item.name}: {item.content}", name=None)
        else:
            said = [InputTextPart(f"{item.name}:"), *item.content]
            yield msgspec.structs.replace(item, content=said, name=None)


def parts_of(content: Content) -> Iterator[Part]:
    """Those that say something."""
    for part in [InputTextPart(content)] if isinstance(content, str) else content:
        if not part.is_text or part.words().strip():
            yield part


def id_from(marks: str) -> str:
    """An id of a call that follows from these, for an API that does not take its own."""
    digest = blake2b(marks.encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES)
    return f"call_{digest.hexdigest()}"


def check_is_text(item: MessageItem) -> None:
    """Raises UncarriedError for what no API takes of a model's own."""
    if not item.only_text:
        raise UncarriedError("it takes no images and files from a model")
