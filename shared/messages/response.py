"""The response object: what OpenAI's clients read, built from a row of the ledger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, Literal

import msgspec

from shared.messages.body import Body, TextOptions
from shared.messages.file_search.search_tool import told_search
from shared.messages.lane import TIER_OF_LANE
from shared.messages.output import OutputItem, decode_items, output_items
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.messages.tool import ReasoningOptions, told_choice, told_tool
from shared.messages.turn_report import TurnReport, decode_report

DEFAULT_MODEL: Final = "auto"
CALLERS_FAULT: Final = "invalid_prompt"
"""What OpenAI calls a message that a provider would not take."""
SERVER_ERROR: Final = "server_error"


class InputTokensDetails(msgspec.Struct, frozen=True):
    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int = 0


class ResponseUsage(msgspec.Struct, frozen=True):
    """Tokens as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()


class ResponseFault(msgspec.Struct, frozen=True):
    """Why a response failed: OpenAI's code, and our sentence. Some clients insist on a type."""

    code: str
    message: str
    type: str = SERVER_ERROR
    param: str | None = None


class IncompleteDetails(msgspec.Struct, frozen=True):
    reason: Literal["max_output_tokens", "content_filter"]


class ResponseCost(msgspec.Struct, frozen=True):
    """Ours: what the answer cost, every attempt counted. `amount` is a decimal number."""

    amount: str
    currency: Literal["USD"] = "USD"

    @classmethod
    def of(cls, cost: Decimal) -> ResponseCost:
        """Zeros at the end carry nothing, and an exponent is no amount that people read."""
        return cls(f"{cost.normalize():f}")


class ResponseWait(msgspec.Struct, frozen=True, kw_only=True):
    """Ours: why a response is held in the queue, and for how long. None where that is not known.

    `position_units` is the work of its own tenant and lane that goes before it, in units (a token
    that is read is 1, one that is written 4); `share` is what that tenant had of its lane's work
    lately.
    """

    position_units: int | None = None
    share: float | None = None
    reason: str
    eta_seconds: float | None = None


class ConversationId(msgspec.Struct, frozen=True):
    id: str


class ResponseObject(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's `Response`, and more: `cost`, null while it is unknown, `turn`, and `waiting` while
    it is held for the dispatcher."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: ResponseState
    background: bool
    error: ResponseFault | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    model: str
    output: list[OutputItem] = []
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    conversation: ConversationId | None = None
    service_tier: str
    store: bool = True
    temperature: float | None = None
    text: dict[str, Any]
    tool_choice: str | dict[str, Any] = "auto"
    tools: list[Any] = []
    top_logprobs: int | msgspec.UnsetType = msgspec.UNSET
    top_p: float | None = None
    truncation: str = "auto"
    # OpenAI's description allows the first two to be absent, and not to be null.
    usage: ResponseUsage | msgspec.UnsetType = msgspec.UNSET
    user: str | msgspec.UnsetType = msgspec.UNSET
    reasoning: ReasoningOptions | msgspec.UnsetType = msgspec.UNSET
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    metadata: dict[str, str]
    cost: ResponseCost | None = None
    turn: TurnReport | None = None
    waiting: ResponseWait | msgspec.UnsetType = msgspec.UNSET


_decoder: Final = msgspec.json.Decoder(ResponseObject)


def read_response(body: bytes | msgspec.Raw) -> ResponseObject:
    """A response from its JSON."""
    return _decoder.decode(body)


def response_object(
    record: MessageRecord, body: Body | None = None, *, waiting: ResponseWait | None = None
) -> ResponseObject:
    """The response of `record`; `body` spares decoding it where the caller has it already."""
    asked = decode_body(record.body.encode()) if body is None else body
    return ResponseObject(
        id=record.id,
        created_at=int(record.accepted_at.timestamp()),
        status=record.state,
        background=asked.background or False,
        instructions=asked.instructions,
        max_output_tokens=asked.max_output_tokens,
        max_tool_calls=asked.max_tool_calls,
        model=record.model or asked.model or DEFAULT_MODEL,
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        previous_response_id=asked.previous_response_id,
        conversation=ConversationId(record.conversation_id) if record.conversation_id else None,
        service_tier=TIER_OF_LANE[record.lane],
        store=asked.store is not False,
        temperature=asked.temperature,
        text=_text(asked.text),
        tool_choice=told_choice(asked.tool_choice) if asked.tool_choice else "auto",
        tools=_tools(asked) if asked.tools or asked.file_search else [],
        reasoning=asked.reasoning or msgspec.UNSET,
        top_logprobs=msgspec.UNSET if asked.top_logprobs is None else asked.top_logprobs,
        top_p=asked.top_p,
        truncation=asked.truncation or "auto",
        user=asked.user or msgspec.UNSET,
        safety_identifier=asked.safety_identifier,
        prompt_cache_key=asked.prompt_cache_key,
        metadata=asked.metadata or {},
        waiting=waiting or msgspec.UNSET,
        **({} if record.state is ResponseState.QUEUED else _became(record, asked)),
    )


def _tools(asked: Body) -> list[dict[str, object]]:
    told = [told_tool(tool) for tool in asked.tools or ()]
    if asked.file_search is not None:
        told.insert(asked.file_search.place, told_search(asked.file_search))
    return told


def _became(record: MessageRecord, asked: Body) -> dict[str, Any]:
    """What a message that waits has none of."""
    return {
        "completed_at": _completed_at(record),
        "error": _fault(record),
        "incomplete_details": _incomplete(record),
        "output": _output(record, asked),
        "usage": _usage(record),
        "cost": _cost(record),
        "turn": decode_report(record.report) if record.report else None,
    }


def _text(asked: TextOptions | None) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(asked) if asked else {}
    return given or {"format": {"type": "text"}}


def _output(record: MessageRecord, asked: Body) -> list[OutputItem]:
    return output_items(
        record.id,
        record.output_text,
        decode_items(record.output_items),
        is_whole=record.state is not ResponseState.INCOMPLETE,
        tells_results=asked.file_search is not None and asked.file_search.tells_results,
    )


def _usage(record: MessageRecord) -> ResponseUsage | msgspec.UnsetType:
    if record.input_tokens is None or record.output_tokens is None:
        return msgspec.UNSET
    return ResponseUsage(
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        total_tokens=record.input_tokens + record.output_tokens,
        input_tokens_details=InputTokensDetails(
            record.cached_tokens or 0, record.cache_write_tokens or 0
        ),
        output_tokens_details=OutputTokensDetails(record.reasoning_tokens or 0),
    )


def _cost(record: MessageRecord) -> ResponseCost | None:
    return None if record.cost is None else ResponseCost.of(record.cost)


def _fault(record: MessageRecord) -> ResponseFault | None:
    if record.state is not ResponseState.FAILED:
        return None
    code = record.error_code or SERVER_ERROR
    kind = "invalid_request_error" if code == CALLERS_FAULT else SERVER_ERROR
    return ResponseFault(code, record.error_message or "Failed.", kind)


def _incomplete(record: MessageRecord) -> IncompleteDetails | None:
    if record.state is not ResponseState.INCOMPLETE:
        return None
    filtered = record.incomplete_reason == "content_filter"
    return IncompleteDetails("content_filter" if filtered else "max_output_tokens")


def _completed_at(record: MessageRecord) -> int | None:
    if record.state is not ResponseState.COMPLETED or record.finished_at is None:
        return None
    return int(record.finished_at.timestamp())
