"""What a worker needs to answer: the one shape into which every surface is decoded.

A body has one spelling: what means the same is the same, byte for byte, whichever surface it came
through and in whatever order and spacing its JSON was written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, Self

import msgspec

from shared.messages.item import Item, MessageItem, Role
from shared.messages.tool import FunctionTool, ReasoningOptions, ToolChoice
from shared.token_count import estimated_tokens

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Metadata = Annotated[
    dict[Annotated[str, msgspec.Meta(max_length=64)], Annotated[str, msgspec.Meta(max_length=512)]],
    msgspec.Meta(max_length=16),
]
Tokens = Annotated[int, msgspec.Meta(ge=1)]
Verbosity = Literal["low", "medium", "high"]

_SAME_AS_ABSENT: Final = {
    "background": False,
    "metadata": {},
    "parallel_tool_calls": True,
    "service_tier": "auto",
    "stop": [],
    "store": True,
    "stream": False,
    "tools": [],
    "truncation": "auto",
}
"""What says no more than leaving the field out."""


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


class CommonFields(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every surface takes, under one name and within one range."""

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


class ResponseFields(CommonFields, frozen=True, kw_only=True, omit_defaults=True):
    """What POST /v1/responses takes as well; chat has other words for it, or none."""

    background: bool | None = None
    cache_control: str | None = None
    """Ours: what the header `Cache-Control` says, for those who have no headers."""
    instructions: str | None = None
    max_output_tokens: Tokens | None = None
    previous_response_id: Identifier | None = None
    text: TextOptions | None = None
    truncation: Literal["auto", "disabled"] | None = None


class Body(
    ResponseFields, frozen=True, kw_only=True, omit_defaults=True, tag_field="shape", tag="items"
):
    """One message. Made by `Body.of`, which gives it its one spelling."""

    input: list[Item]
    conversation: str | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    reasoning: ReasoningOptions | None = None
    seed: int | None = None
    stop: list[str] | None = None
    tool_choice: ToolChoice | None = None
    tools: list[FunctionTool] | None = None

    @classmethod
    def of(cls, fields: msgspec.Struct, /, **more: Any) -> Self:
        """The body of what was asked: the fields that have their names here, and `more`.

        `input` may be a text, which the user says; `stop` one text; `conversation` an object.
        """
        names, values = _copied(type(fields))
        told = zip(names, values(fields), strict=True)
        asked = {name: value for name, value in told if value is not None} | more
        for name in asked.keys() & _SAME_AS_ABSENT.keys():
            if asked[name] == _SAME_AS_ABSENT[name]:
                del asked[name]
        for name in asked.keys() & _SPELLINGS.keys():
            asked[name] = _SPELLINGS[name](asked[name])
        return cls(**asked)

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

    def tokens(self) -> int:
        """How much a model would have to read, estimated."""
        told = estimated_tokens(self.instructions) if self.instructions else 0
        if self.tools:
            told += estimated_tokens(_encoder.encode(self.tools).decode())
        return told + sum(item.tokens() for item in self.input)


def encode_body(body: Body) -> bytes:
    """Its JSON: as the ledger keeps it, with the properties of a schema in the caller's order."""
    return _encoder.encode(body)


def body_digest(body: Body, encoded: bytes | None = None) -> str:
    """By what it is known again, in hexadecimal; `encoded` spares writing it once more."""
    if encoded is None or _has_objects(body):
        encoded = _in_order.encode(body)
    return sha256(encoded).hexdigest()


_encoder: Final = msgspec.json.Encoder()
_in_order: Final = msgspec.json.Encoder(order="deterministic")


@cache
def _copied(kind: type[msgspec.Struct]) -> tuple[tuple[str, ...], attrgetter[tuple[Any, ...]]]:
    names = tuple(set(kind.__struct_fields__) & set(Body.__struct_fields__))
    return names, attrgetter(*names)


def _spelled_text(text: TextOptions | None) -> TextOptions | None:
    """Plain text is what an answer is anyway."""
    if text is None:
        return None
    if text.format is not None and text.format.type == "text":
        text = msgspec.structs.replace(text, format=None)
    return text if text.format is not None or text.verbosity is not None else None


def _spelled_input(said: str | list[Item]) -> list[Item]:
    return [MessageItem(Role.USER, said)] if isinstance(said, str) else said


def _spelled_stop(stop: str | list[str] | None) -> list[str] | None:
    return [stop] if isinstance(stop, str) else stop


def _spelled_conversation(named: str | dict[str, str] | ConversationReference | None) -> str | None:
    if isinstance(named, ConversationReference):
        return named.id
    return named.get("id") if isinstance(named, dict) else named


_SPELLINGS: Final[dict[str, Callable[[Any], Any]]] = {
    "conversation": _spelled_conversation,
    "input": _spelled_input,
    "stop": _spelled_stop,
    "text": _spelled_text,
}


def _has_objects(body: Body) -> bool:
    """Whether there are objects in it whose keys may stand in any order."""
    if body.metadata is not None or body.text is not None or body.tools is not None:
        return True
    return any(not isinstance(item, MessageItem) or item.has_objects for item in body.input)
