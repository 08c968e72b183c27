"""OpenAI's chunk of a chat completion."""

from __future__ import annotations

from typing import Literal

import msgspec

from shared.messages.response import ResponseCost
from shared.messages.turn_report import TurnReport
from shared.surfaces.chat.completion import ChoiceLogprobs, CompletionUsage, FinishReason


class ChunkFunction(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this chunk adds to a function that is called: its name, then its arguments."""

    name: str | None = None
    arguments: str | None = None


class ChunkCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this chunk adds to the call of that index."""

    index: int
    id: str | None = None
    function: ChunkFunction | None = None
    type: Literal["function"] | None = None


class ChunkDelta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What this chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | msgspec.UnsetType | None = msgspec.UNSET
    tool_calls: list[ChunkCall] | None = None


class ChunkChoice(msgspec.Struct, frozen=True):
    """The one choice that there is."""

    delta: ChunkDelta
    finish_reason: FinishReason | None = None
    index: int = 0
    logprobs: ChoiceLogprobs | msgspec.UnsetType = msgspec.UNSET


class ChatChunk(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's chunk of a chat completion; the one that ends it has `cost` and `turn` too."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | msgspec.UnsetType | None = msgspec.UNSET
    cost: ResponseCost | msgspec.UnsetType | None = msgspec.UNSET
    turn: TurnReport | msgspec.UnsetType | None = msgspec.UNSET
