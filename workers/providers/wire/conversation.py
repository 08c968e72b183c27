"""A prompt in the form that the strictest chat template takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.messages.input_item import Role
from workers.providers.provider import Message

_OPENING: Final = Message(role=Role.USER, content="…")
"""Stands for what the user said before an answer that a conversation begins with."""
_BETWEEN: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class Conversation:
    """Instructions, then user and assistant in turn; the user first, and nothing blank.

    What was said is kept whole and in order: neighbours of one role become one message, and all
    instructions stand first. Of instructions alone the user is made the speaker. The last word of
    an assistant, which it goes on from, loses its trailing white space.
    """

    instructions: str
    spoken: tuple[Message, ...]

    @classmethod
    def of(cls, messages: Sequence[Message]) -> Conversation:
        said = [each for each in messages if each.content and not each.content.isspace()]
        if len(said) == 1 and said[0].role is Role.USER:
            return cls("", (said[0],))
        instructions = [each.content for each in said if each.role.instructs]
        spoken = list(_joined([each for each in said if not each.role.instructs]))
        if spoken and spoken[0].role is not Role.USER:
            spoken.insert(0, _OPENING)
        if not spoken:
            spoken, instructions = _as_user(instructions), []
        elif spoken[-1].role is Role.ASSISTANT:
            last = spoken.pop()
            spoken.append(Message(role=last.role, content=last.content.rstrip()))
        return cls(_BETWEEN.join(instructions), tuple(spoken))


def _joined(messages: Sequence[Message]) -> Iterator[Message]:
    """The messages with neighbours of one role as one."""
    role, texts = Role.USER, list[str]()
    for message in messages:
        if texts and message.role is not role:
            yield Message(role=role, content=_BETWEEN.join(texts))
            texts = []
        role = message.role
        texts.append(message.content)
    if texts:
        yield Message(role=role, content=_BETWEEN.join(texts))


def _as_user(instructions: list[str]) -> list[Message]:
    text = _BETWEEN.join(instructions)
    return [Message(role=Role.USER, content=text)] if text else []
