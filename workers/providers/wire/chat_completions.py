"""The wire types of OpenAI's chat completions, as far as we read them.

Servers differ: fields we do not read may be missing, null or of any shape. What we do read is
checked, because a wrong type there would be a wrong answer.
"""

from __future__ import annotations

import msgspec

from workers.providers.outcome import FinishReason, Usage

_FINISH_REASONS = {
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
}
BROKEN_OFF = frozenset({"abort", "error", "cancelled"})
"""Reasons by which servers say that they stopped in the middle: no answer, whatever came."""


class TokenDetails(msgspec.Struct):
    cached_tokens: int | None = None


class WireUsage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: TokenDetails | None = None

    def usage(self) -> Usage | None:
        """The figures, or None when the server left one of them out."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        details = self.prompt_tokens_details
        return Usage(
            input_tokens=self.prompt_tokens,
            output_tokens=self.completion_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
        )


class WireMessage(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[msgspec.Raw] | None = None

    @property
    def text(self) -> str:
        return self.content or self.refusal or ""

    @property
    def is_progress(self) -> bool:
        """Whether the model is at work: it writes, or it thinks aloud."""
        return bool(self.text or self.reasoning_content or self.reasoning)


class Choice(msgspec.Struct):
    message: WireMessage
    finish_reason: str | None = None


class Completion(msgspec.Struct):
    choices: list[Choice]
    model: str | None = None
    usage: WireUsage | None = None


class ChunkChoice(msgspec.Struct):
    delta: WireMessage | None = None
    finish_reason: str | None = None


class Chunk(msgspec.Struct):
    choices: list[ChunkChoice] = []
    model: str | None = None
    usage: WireUsage | None = None
    error: msgspec.Raw = msgspec.Raw()

    @property
    def reports_error(self) -> bool:
        return bytes(self.error) not in (b"", b"null")


class StreamedCompletion:
    """What the chunks of a stream have said so far, next to its text."""

    def __init__(self) -> None:
        self.model: str | None = None
        self.usage: Usage | None = None
        self.finish_reason: str | None = None
        self.called_tool = False
        self.is_whole = False
        """Whether the server has said that the answer is complete: a reason, or an end mark."""

    def take(self, chunk: Chunk) -> WireMessage | None:
        """Note what the chunk says; return its piece of the first choice, if it has one."""
        self.model = chunk.model or self.model
        self.usage = (chunk.usage.usage() if chunk.usage else None) or self.usage
        if not chunk.choices:
            return None
        choice = chunk.choices[0]
        if choice.finish_reason:
            self.finish_reason, self.is_whole = choice.finish_reason, True
        if choice.delta is not None and choice.delta.tool_calls:
            self.called_tool = True
        return choice.delta


def finish_reason(wire_reason: str | None) -> FinishReason:
    """Our word for theirs; an unknown or missing one is a plain stop (`eos`, `stop_sequence`)."""
    return _FINISH_REASONS.get(wire_reason or "", FinishReason.STOP)
