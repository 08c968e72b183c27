"""A response in the shape of a chat completion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from shared.identifiers import sibling_id
from shared.messages.output import OutputCall, OutputMessage, OutputText, TokenLogprob
from shared.messages.response import ResponseCost, ResponseObject, ResponseUsage
from shared.messages.state import ResponseState
from shared.messages.turn_report import TurnReport
from shared.surfaces.chat.messages import CalledFunction, ChatToolCall
from shared.surfaces.failed_turn import failed_turn

FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]

COMPLETION_ID: Final = "chatcmpl"


class PromptTokensDetails(msgspec.Struct, frozen=True):
    cached_tokens: int = 0


class CompletionTokensDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int = 0


class CompletionUsage(msgspec.Struct, frozen=True):
    """Tokens as the provider counted them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails = PromptTokensDetails()
    completion_tokens_details: CompletionTokensDetails = CompletionTokensDetails()


class ChatAnswer(msgspec.Struct, frozen=True):
    """The message of a choice. Who only asks for tools says nothing."""

    content: str | None
    role: Literal["assistant"] = "assistant"
    refusal: None = None
    annotations: list[object] = []
    tool_calls: list[ChatToolCall] | msgspec.UnsetType = msgspec.UNSET


class ChoiceLogprobs(msgspec.Struct, frozen=True):
    """How likely each token of the text was."""

    content: Sequence[TokenLogprob]
    refusal: None = None

    @classmethod
    def of(cls, tokens: Sequence[TokenLogprob]) -> ChoiceLogprobs | None:
        """None where there are none."""
        return cls(tokens) if tokens else None


class Choice(msgspec.Struct, frozen=True):
    """The one choice that there is."""

    message: ChatAnswer
    finish_reason: FinishReason
    index: int = 0
    logprobs: ChoiceLogprobs | None = None


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """OpenAI's chat completion, and two fields more, as on a response: `cost` and `turn`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage | msgspec.UnsetType = msgspec.UNSET
    service_tier: str
    cost: ResponseCost | None = None
    turn: TurnReport | None = None


def chat_completion(response: ResponseObject) -> ChatCompletion:
    """The completion of a response that ended well; raises TurnFailed for one that did not."""
    if failed := failed_turn(response):
        raise failed
    return ChatCompletion(
        id=completion_id(response.id),
        created=response.created_at,
        model=response.model,
        choices=[
            Choice(
                _answer(response),
                finish_reason(response),
                logprobs=ChoiceLogprobs.of(answer_logprobs(response)),
            )
        ],
        usage=completion_usage(response.usage),
        service_tier=response.service_tier,
        cost=response.cost,
        turn=response.turn,
    )


def _answer(response: ResponseObject) -> ChatAnswer:
    said, calls = answer_text(response), answer_calls(response)
    if not calls:
        return ChatAnswer(said)
    told = [ChatToolCall(one.call_id, CalledFunction(one.name, one.arguments)) for one in calls]
    return ChatAnswer(said or None, tool_calls=told)


def completion_id(response_id: str) -> str:
    """`chatcmpl-` and the digits of the response's id."""
    return sibling_id(COMPLETION_ID, response_id).replace("_", "-", 1)


def answer_text(response: ResponseObject) -> str:
    """All of the answer's text."""
    said = "".join([part.text for part in _texts(response)])
    if not said and response.status is ResponseState.REQUIRES_ACTION:
        return f"A person answers this. Read response '{response.id}' later."
    return said


def answer_logprobs(response: ResponseObject) -> list[TokenLogprob]:
    """Of the tokens of that text; nothing where nobody asked or nobody knew."""
    return [token for part in _texts(response) for token in part.logprobs]


def _texts(response: ResponseObject) -> list[OutputText]:
    return [
        part for item in response.output if isinstance(item, OutputMessage) for part in item.content
    ]


def answer_calls(response: ResponseObject) -> list[OutputCall]:
    """What is asked of tools, in order."""
    return [item for item in response.output if isinstance(item, OutputCall)]


def finish_reason(response: ResponseObject) -> FinishReason:
    """Why the answer ends where it does."""
    if response.status is not ResponseState.INCOMPLETE or response.incomplete_details is None:
        return "tool_calls" if answer_calls(response) else "stop"
    filtered = response.incomplete_details.reason == "content_filter"
    return "content_filter" if filtered else "length"


def completion_usage(
    usage: ResponseUsage | msgspec.UnsetType,
) -> CompletionUsage | msgspec.UnsetType:
    """The same usage in chat's words."""
    if usage is msgspec.UNSET:
        return msgspec.UNSET
    return CompletionUsage(
        prompt_tokens=usage.input_tokens,
        completion_tokens=usage.output_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details=PromptTokensDetails(usage.input_tokens_details.cached_tokens),
        completion_tokens_details=CompletionTokensDetails(
            usage.output_tokens_details.reasoning_tokens
        ),
    )
