"""One item of a message's input: who said what."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, Self

import msgspec

_BETWEEN_PARTS: Final = "\n\n"


class Role(StrEnum):
    """Who speaks. `instructs`: it says how to answer, and takes no part in the conversation."""

    instructs: bool

    def __new__(cls, name: str, instructs: bool = False) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.instructs = instructs
        return member

    SYSTEM = "system", True
    DEVELOPER = "developer", True
    USER = "user"
    ASSISTANT = "assistant"


class TextPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of an item's content. Only text travels this road."""

    text: str
    type: Literal["input_text", "output_text", "text"] = "input_text"
    annotations: list[object] | None = None
    logprobs: list[object] | None = None


class InputItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One message of a conversation. `name` is kept with it; no provider is told."""

    role: Role
    content: str | list[TextPart] | None
    type: Literal["message"] = "message"
    id: str | None = None
    name: str | None = None
    status: str | None = None
    phase: str | None = None

    @property
    def text(self) -> str:
        """All of its text as one string: parts are paragraphs, and stand apart as such."""
        if isinstance(self.content, str):
            return self.content
        return _BETWEEN_PARTS.join([part.text for part in self.content or ()])
