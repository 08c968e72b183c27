"""What a message's input is a list of: who said what, what a tool was asked and what it answered.

Readers ask an item for `text()`, `tokens()`, `size()` or `digest()`, never for a field of its kind.
JSON names the kind in `type`. Defaults are left out, so that the same item has one spelling.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from hashlib import blake2b
from typing import ClassVar, Final, Self

import msgspec
from msgspec.structs import replace

from shared.messages.file_search.found_text import FoundText
from shared.messages.part import (
    CacheBreakpoint,
    Content,
    InputTextPart,
    OutputTextPart,
    Part,
    Tagged,
    attached_to,
    referring,
    size_of_content,
    spelled,
    tokens_of,
    unmarked,
    words_of,
)
from shared.storable_text import text_size
from shared.token_count import estimated_sum, estimated_tokens, tokens_of_size

FAILED_OUTPUT: Final = "incomplete"


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


class MessageItem(Tagged, frozen=True, tag="message"):
    """What somebody said. One plain text is a string; `name` is kept with it."""

    role: Role
    content: Content
    id: str | None = None
    name: str | None = None
    status: str | None = None
    phase: str | None = None

    @property
    def only_text(self) -> bool:
        """Whether it is text and nothing else."""
        return isinstance(self.content, str) or all(part.is_text for part in self.content)

    @property
    def has_objects(self) -> bool:
        """Whether there are JSON objects in it, whose keys may stand in any order."""
        if isinstance(self.content, str):
            return False
        return any(isinstance(part, OutputTextPart) and part.has_objects for part in self.content)

    def text(self) -> str:
        """All of its text: parts are paragraphs, and stand apart as such."""
        return self.content if isinstance(self.content, str) else words_of(self.content)

    def attached(self) -> int:
        return 0 if isinstance(self.content, str) else attached_to(self.content)

    def tokens(self) -> int:
        """What a model has to read, estimated."""
        if isinstance(self.content, str):
            return estimated_tokens(self.content)
        return tokens_of(self.content)

    def size(self) -> int:
        """The same in bytes; an image counts as the text that costs as much."""
        if isinstance(self.content, str):
            return text_size(self.content)
        return size_of_content(self.content)

    def digest(self) -> bytes:
        """The same for items that say the same to a model, whatever their ids."""
        return _digest(self.role, _marks(self.content))

    def followed_by(self, text: str) -> MessageItem:
        """The same with one more paragraph."""
        said = self.content
        parts: list[Part] = [InputTextPart(said)] if isinstance(said, str) else said
        more: Content = [*parts, InputTextPart(text)]
        return replace(self, content=words_of(more) if isinstance(said, str) else more)


class FunctionCall(Tagged, frozen=True, tag="function_call"):
    """A model asks for a tool. `arguments` is JSON, as the model wrote it."""

    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: str | None = None
    cache_control: CacheBreakpoint | None = None
    role: ClassVar[Role] = Role.ASSISTANT
    only_text: ClassVar[bool] = False

    def text(self) -> str:
        return f"{self.name}({self.arguments})"

    def tokens(self) -> int:
        return estimated_tokens(self.name) + estimated_tokens(self.arguments)

    def size(self) -> int:
        return text_size(self.name) + text_size(self.arguments)

    def digest(self) -> bytes:
        return _digest(self.kind, self.call_id, self.name, self.arguments)


class FunctionCallOutput(Tagged, frozen=True, tag="function_call_output"):
    """What the tool gave back; `incomplete` is the status of one that has failed."""

    call_id: str
    output: Content
    id: str | None = None
    status: str | None = None
    cache_control: CacheBreakpoint | None = None
    role: ClassVar[Role] = Role.USER
    only_text: ClassVar[bool] = False

    @property
    def has_failed(self) -> bool:
        return self.status == FAILED_OUTPUT

    def text(self) -> str:
        return words_of(self.output)

    def attached(self) -> int:
        return attached_to(self.output)

    def tokens(self) -> int:
        return tokens_of(self.output)

    def size(self) -> int:
        return size_of_content(self.output)

    def digest(self) -> bytes:
        return _digest(self.kind, self.call_id, _marks(self.output))


class Untold(Tagged, frozen=True):
    """What has no text: it is no part of what was said."""

    role: ClassVar[Role] = Role.ASSISTANT
    only_text: ClassVar[bool] = False

    def text(self) -> str:
        return ""

    def tokens(self) -> int:
        return 0

    def size(self) -> int:
        return 0


class ReasoningItem(Untold, frozen=True, tag="reasoning"):
    """What a model thought: given back to the provider that made it, and shown to nobody else."""

    id: str | None = None
    summary: tuple[dict[str, str], ...] = ()
    content: tuple[dict[str, str], ...] = ()
    encrypted_content: str | None = None
    status: str | None = None

    def tokens(self) -> int:
        told = (part.get("text", "") for part in (*self.summary, *self.content))
        return tokens_of_size(len(self.encrypted_content or "")) + estimated_sum(told)

    def size(self) -> int:
        told = (part.get("text", "") for part in (*self.summary, *self.content))
        return len(self.encrypted_content or "") + sum(map(text_size, told))

    def digest(self) -> bytes:
        told = (part.get("text", "") for part in (*self.summary, *self.content))
        return _digest(self.kind, self.encrypted_content or "", *told)


class ItemReference(Untold, frozen=True, tag="item_reference"):
    """Stands for an item of an earlier answer."""

    id: str
    role: ClassVar[Role] = Role.USER

    def digest(self) -> bytes:
        return _digest(self.kind, self.id)


class SearchCall(Untold, frozen=True, tag="file_search_call"):
    """What was looked up for an answer, and found."""

    queries: tuple[str, ...] = ()
    results: tuple[FoundText, ...] | None = None
    id: str | None = None
    status: str | None = None

    def digest(self) -> bytes:
        return _digest(self.kind, *self.queries)


Item = MessageItem | FunctionCall | FunctionCallOutput | ReasoningItem | ItemReference | SearchCall


def are_only_text(items: Iterable[Item]) -> bool:
    """Whether they are messages, and text and nothing else."""
    for item in items:
        if not isinstance(item, MessageItem):
            return False
        if not isinstance(item.content, str) and not item.only_text:
            return False
    return True


def _marks(content: Content) -> str | bytes:
    content = unmarked(content)
    if not isinstance(content, str):
        content = spelled([referring(part) for part in content])
    return content if isinstance(content, str) else msgspec.json.encode(content)


def _digest(*marks: str | bytes) -> bytes:
    digest = blake2b(digest_size=16)
    for mark in marks:
        said = mark.encode("utf-8", "surrogatepass") if isinstance(mark, str) else mark
        digest.update(b"%d %b" % (len(said), said))
    return digest.digest()
