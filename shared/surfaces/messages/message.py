"""A response in the shape of Anthropic's message."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from shared.messages.output import OutputCall, OutputReasoning, output_message_id
from shared.messages.response import ResponseCost, ResponseObject, ResponseUsage
from shared.messages.turn_report import TurnReport
from shared.surfaces.chat.completion import answer_calls, answer_text
from shared.surfaces.failed_turn import failed_turn
from shared.surfaces.messages.blocks import (
    AnswerBlock,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)

StopReason = Literal["end_turn", "max_tokens", "tool_use", "refusal"]
MessagesTier = Literal["standard", "priority", "batch"]

_PARAGRAPHS: Final = "\n\n"
_TIERS: Final[dict[str, MessagesTier]] = {"priority": "priority", "flex": "batch"}


class ThinkingTokens(msgspec.Struct, frozen=True):
    """A part of the tokens that were written."""

    thinking_tokens: int = 0


class MessageUsage(msgspec.Struct, frozen=True):
    """Tokens as the provider counted them; what a provider's cache had is counted apart."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens_details: ThinkingTokens = ThinkingTokens()
    service_tier: MessagesTier = "standard"


class MessageObject(msgspec.Struct, frozen=True, kw_only=True):
    """Anthropic's message, and two fields more, as on a response: `cost` and `turn`."""

    id: str
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    model: str
    content: list[AnswerBlock]
    stop_reason: StopReason | None
    stop_sequence: None = None
    usage: MessageUsage
    cost: ResponseCost | None = None
    turn: TurnReport | None = None


class MessageTokensCount(msgspec.Struct, frozen=True):
    """How many tokens a model would read, estimated."""

    input_tokens: int


def message_object(response: ResponseObject, *, shows_thoughts: bool) -> MessageObject:
    """The message of a response that ended well; raises TurnFailed for one that did not."""
    if failed := failed_turn(response):
        raise failed
    return MessageObject(
        id=output_message_id(response.id),
        model=response.model,
        content=answer_blocks(response, shows_thoughts=shows_thoughts),
        stop_reason=stop_reason(response),
        usage=message_usage(response.usage, response.service_tier),
        cost=response.cost,
        turn=response.turn,
    )


def answer_blocks(response: ResponseObject, *, shows_thoughts: bool) -> list[AnswerBlock]:
    """The answer's content, in the order of its output."""
    thoughts = [item for item in response.output if isinstance(item, OutputReasoning)]
    blocks: list[AnswerBlock] = []
    if shows_thoughts:
        blocks += filter(None, map(thinking_block, thoughts))
    if text := answer_text(response):
        blocks.append(TextBlock(text))
    blocks += map(tool_use_block, answer_calls(response))
    return blocks


def thinking_block(thought: OutputReasoning) -> ThinkingBlock | RedactedThinkingBlock | None:
    """The thought; None for one that its provider would not know again when it is sent back."""
    if thought.encrypted_content is None:
        return None
    told = _PARAGRAPHS.join(part.get("text", "") for part in thought.summary)
    if not told:
        return RedactedThinkingBlock(thought.encrypted_content)
    return ThinkingBlock(told, thought.encrypted_content)


def tool_use_block(call: OutputCall) -> ToolUseBlock:
    """The call; arguments that are no object are one called `arguments`."""
    try:
        given = msgspec.json.decode(call.arguments or "{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        given = call.arguments
    found = given if isinstance(given, dict) else {"arguments": given}
    return ToolUseBlock(call.call_id, call.name, found)


def stop_reason(response: ResponseObject) -> StopReason:
    """Why the answer ends where it does; which stop sequence it met is not known."""
    if response.incomplete_details is not None:
        filtered = response.incomplete_details.reason == "content_filter"
        return "refusal" if filtered else "max_tokens"
    return "tool_use" if answer_calls(response) else "end_turn"


def message_usage(usage: ResponseUsage | msgspec.UnsetType, tier: str) -> MessageUsage:
    """The same usage in Anthropic's words, which have no absence: nothing is 0."""
    told = _TIERS.get(tier, "standard")
    if usage is msgspec.UNSET:
        return MessageUsage(0, 0, service_tier=told)
    cached, written = (
        usage.input_tokens_details.cached_tokens,
        usage.input_tokens_details.cache_write_tokens,
    )
    return MessageUsage(
        input_tokens=max(0, usage.input_tokens - cached - written),
        output_tokens=usage.output_tokens,
        cache_creation_input_tokens=written,
        cache_read_input_tokens=cached,
        output_tokens_details=ThinkingTokens(usage.output_tokens_details.reasoning_tokens),
        service_tier=told,
    )
