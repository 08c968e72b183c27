"""What a worker needs to answer: the one shape into which every surface is decoded.

A body has one spelling: what means the same is the same, byte for byte, whichever surface it came
through and in whatever order and spacing its JSON was written.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final, Literal, Self

import msgspec

from shared.messages.file_search.search_tool import FileSearchTool
from shared.messages.item import Item, ItemReference, MessageItem, Role
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from shared.token_count import estimated_tokens

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Metadata = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=64)], Annotated[str, msgspec.Meta(max_length=512)]],
    msgspec.Meta(max_length=16),
]
Tokens = Annotated[int, msgspec.Meta(ge=1)]
TopLogprobs = Annotated[int, msgspec.Meta(ge=0, le=20)]
Verbosity = Literal["low", "medium", "high"]


class ConversationReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`{"id": "conv_…"}`, the other spelling of a conversation's id."""

    id: Identifier


class TextFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: dict[str, object] | None = None
    description: str | None = None
    strict: bool | None = None


class TextOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the answer is written. Providers that speak OpenAI's chat are told the verbosity."""

    format: TextFormat | None = None
    verbosity: Verbosity | None = None

    def spelled(self) -> TextOptions | None:
        """The same without what an answer is anyway, which is plain text."""
        if self.format is None or self.format.type != "text":
            return self if self.format is not None or self.verbosity is not None else None
        return None if self.verbosity is None else TextOptions(verbosity=self.verbosity)


class CommonFields(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every surface takes, under one name and within one range.

    These are the first fields of a body, which takes them by their places.
    """

    model: Identifier | None = None
    metadata: Metadata | None = None
    parallel_tool_calls: bool | None = None
    prompt_cache_key: str | None = None
    safety_identifier: Identifier | None = None
    service_tier: str | None = None
    store: bool | None = None
    stream: bool | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    user: Identifier | None = None

    def spelled(self) -> tuple[Any, ...]:
        """The values in their order: None for each that says no more than its absence."""
        return (
            self.model,
            self.metadata or None,
            False if self.parallel_tool_calls is False else None,
            self.prompt_cache_key,
            self.safety_identifier,
            self.service_tier if self.service_tier != "auto" else None,
            False if self.store is False else None,
            self.stream or None,
            self.temperature,
            self.top_p,
            self.user,
        )


class ResponseFields(CommonFields, frozen=True, omit_defaults=True):
    """What POST /v1/responses takes as well; chat has other words for it, or none."""

    background: bool | None = None
    cache_control: str | None = None
    """Ours: what the header `Cache-Control` says, for those who have no headers."""
    instructions: str | None = None
    max_output_tokens: Tokens | None = None
    previous_response_id: Identifier | None = None
    text: TextOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None

    def spelled(self) -> tuple[Any, ...]:
        return (
            *CommonFields.spelled(self),
            self.background or None,
            self.cache_control,
            self.instructions,
            self.max_output_tokens,
            self.previous_response_id,
            None if self.text is None else self.text.spelled(),
            self.truncation if self.truncation != "auto" else None,
        )


class Body(
    ResponseFields, frozen=True, kw_only=True, omit_defaults=True, tag_field="shape", tag="items"
):
    """One message. Made by `Body.of`, which gives it its one spelling."""

    input: list[Item]
    conversation: str | None = None
    file_search: FileSearchTool | None = None
    """Of the caller's tools the one that is used before a model answers."""
    frequency_penalty: float | None = None
    max_tool_calls: int | None = None
    """Of hosted tools, which OpenAI means by it; functions are called by the caller."""
    presence_penalty: float | None = None
    reasoning: ReasoningOptions | None = None
    seed: int | None = None
    stop: list[str] | None = None
    tool_choice: ToolChoice | None = None
    tools: list[FunctionTool] | None = None
    top_k: int | None = None
    """Anthropic's: who has no words for it is passed over."""
    top_logprobs: int | None = None
    """How likely each token of the answer was is asked for, with so many others beside it."""

    @classmethod
    def of(
        cls,
        asked: CommonFields,
        said: str | list[Item],
        /,
        *,
        conversation: str | dict[str, str] | ConversationReference | None = None,
        stop: str | list[str] | None = None,
        tools: list[FunctionTool] | None = None,
        **more: Any,
    ) -> Self:
        """The body of what was said, a text being the user's, and of what else was asked.

        `asked` is what surfaces have in common; `more` has its names here, and one spelling.
        """
        return cls(
            *asked.spelled(),
            input=[MessageItem(Role.USER, said)] if isinstance(said, str) else said,
            conversation=_spelled_conversation(conversation),
            stop=[stop] if isinstance(stop, str) else stop or None,
            tools=tools or None,
            **more,
        )

    @classmethod
    def says(cls, text: str) -> Self:
        """The body of one text that a user says."""
        return cls(input=[MessageItem(Role.USER, text)])

    @property
    def user_id(self) -> str | None:
        """The tenant's end user, in either of OpenAI's spellings."""
        return self.safety_identifier or self.user

    @property
    def continues(self) -> bool:
        """Whether something was said before it, in the ledger."""
        return self.previous_response_id is not None or self.conversation is not None

    @property
    def searches(self) -> bool:
        """Whether files are searched for it: a choice of tools may leave that out."""
        chosen = self.tool_choice is None or self.tool_choice.takes_search
        return chosen and self.file_search is not None

    @property
    def refers(self) -> bool:
        """Whether it has items that stand for others: it is checked once those are in it."""
        return any(isinstance(item, ItemReference) for item in self.input)

    def attached_bytes(self) -> int:
        """How much of it is images and files in base64."""
        return sum([item.attached() for item in self.input])

    def prompt_bytes(self, size_bytes: int) -> int:
        """What a model would have to read of a body of that size, at the most; an image counts as
        the text that costs as much."""
        attached = self.attached_bytes()
        if not attached:
            return size_bytes
        told = sum(item.size() for item in self.input if item.attached())
        return size_bytes - attached + told

    def tokens(self) -> int:
        """How much a model would have to read, estimated."""
        told = estimated_tokens(self.instructions) if self.instructions else 0
        if self.tools:
            told += estimated_tokens(_encoder.encode(self.tools).decode())
        return told + sum([item.tokens() for item in self.input])


def encode_body(body: Body) -> bytes:
    """Its JSON: as the ledger keeps it, with the properties of a schema in the caller's order."""
    return _encoder.encode(body)


def body_digest(body: Body, encoded: bytes | None = None) -> str:
    """By what it is known again, in hexadecimal; `encoded` spares writing it once more."""
    if encoded is None or _has_objects(body):
        encoded = encode_in_order(body)
    return sha256(encoded).hexdigest()


def encode_in_order(body: Body) -> bytes:
    """Its JSON with the properties of every object in one order: what its digest is made of."""
    return _in_order.encode(body)


_encoder: Final = msgspec.json.Encoder()
_in_order: Final = msgspec.json.Encoder(order="deterministic")


def _spelled_conversation(named: str | dict[str, str] | ConversationReference | None) -> str | None:
    if named is None or isinstance(named, str):
        return named
    return named.id if isinstance(named, ConversationReference) else named.get("id")


def _has_objects(body: Body) -> bool:
    """Whether there are objects in it whose keys may stand in any order."""
    objects = (body.metadata, body.text, body.tools, body.file_search)
    if objects.count(None) < len(objects):
        return True
    for item in body.input:
        if not isinstance(item, MessageItem):
            return True
        if not isinstance(item.content, str) and item.has_objects:
            return True
    return False
