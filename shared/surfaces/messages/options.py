"""How the answer is to be made, in Anthropic's words: thinking, effort, format, whose it is."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Final, Literal

import msgspec

from shared.errors import InvalidRequest
from shared.messages.body import TextFormat, TextOptions
from shared.messages.tool import Effort, ReasoningOptions

FORMAT_NAME: Final = "answer"
"""Formats have names elsewhere, and none here."""
_EFFORTS: Final[tuple[tuple[int, Effort], ...]] = ((4_096, "low"), (16_384, "medium"))
_LONGEST_USER: Final = 128


class ThinkingOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the model thinks first, and whether it is told what."""

    type: Literal["enabled", "adaptive", "disabled"]
    budget_tokens: Annotated[int, msgspec.Meta(ge=1024)] | None = None
    display: Literal["summarized", "omitted"] | None = None


class JsonOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schema that the answer has to follow."""

    schema: dict[str, object]
    type: Literal["json_schema"]


class OutputConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much is spent on the answer, and its shape."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: JsonOutput | None = None


class MessagesMetadata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of the tenant's users, the one who asks."""

    user_id: Annotated[str, msgspec.Meta(max_length=512, pattern="^[^\0]*$")] | None = None


def shows_thoughts(asked: ThinkingOptions | None) -> bool:
    """Whether the answer has what was thought, for the next turn: its text where that is told."""
    return asked is not None and asked.type != "disabled"


def reasoning_of(
    thinking: ThinkingOptions | None, output: OutputConfig | None
) -> ReasoningOptions | None:
    """A budget is an effort, where none is named; raises InvalidRequest for half of one."""
    named = output.effort if output else None
    if thinking is None:
        return ReasoningOptions(named) if named else None
    if thinking.type == "disabled":
        return ReasoningOptions("none")
    if (thinking.budget_tokens is None) is (thinking.type == "enabled"):
        raise InvalidRequest(
            "'thinking.budget_tokens' goes with the type 'enabled'. Give both, or neither.",
            param="thinking.budget_tokens",
        )
    effort = named or _effort(thinking.budget_tokens)
    summary: Literal["auto"] | None = "auto" if thinking.display != "omitted" else None
    return ReasoningOptions(effort, summary) if effort or summary else None


def text_of(output: OutputConfig | None, former: JsonOutput | None) -> TextOptions | None:
    """The format; raises InvalidRequest where both of its fields are used."""
    form = output.format if output else None
    if form is not None and former is not None:
        raise InvalidRequest(
            "Give 'output_config.format' or 'output_format', not both.", param="output_format"
        )
    wanted = form or former
    if wanted is None:
        return None
    return TextOptions(TextFormat(wanted.type, FORMAT_NAME, wanted.schema))


def user_of(metadata: MessagesMetadata | None) -> str | None:
    """The user's id; of one that is too long to be kept, its digest."""
    user = (metadata.user_id if metadata else None) or None
    if user is None or len(user) <= _LONGEST_USER:
        return user
    return f"sha256:{sha256(user.encode()).hexdigest()}"


def _effort(budget: int | None) -> Effort | None:
    if budget is None:
        return None
    return next((effort for below, effort in _EFFORTS if budget < below), "high")
