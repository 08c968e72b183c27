"""An answer while it is being read: the text so far, and whether it can stand at the end."""

from __future__ import annotations

from typing import Final

from shared.storable_text import storable
from shared.token_count import text_size
from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    InvalidRequestError,
    TransientProviderError,
)
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.timeouts import CallClock

_MOST_TOKENS: Final = 100_000_000
"""More than any model reads or writes at once."""


class AnswerText:
    """Collects the pieces of a streamed answer and passes each on as it comes."""

    def __init__(self, on_delta: TextSink, clock: CallClock) -> None:
        self._on_delta = on_delta
        self._clock = clock
        self._pieces: list[str] = []

    async def add(self, piece: str) -> None:
        if piece := storable(piece):
            self._pieces.append(piece)
            await self._on_delta(piece)
        self._clock.hear_token()

    def __str__(self) -> str:
        return "".join(self._pieces)


def finished_answer(
    prompt: Prompt,
    text: str,
    *,
    provider: str,
    model: str,
    finish: FinishReason,
    usage: Usage | None,
) -> Answer:
    """The answer, or a malformed one's error when the provider ended properly and said nothing.

    Figures that no model can reach count as not reported.
    """
    text = storable(text)
    if not text and finish is FinishReason.STOP:
        raise TransientProviderError(
            f"{provider} sent an empty answer", error_class=ErrorClass.MALFORMED_ANSWER
        )
    size_in = sum(text_size(message.content) for message in prompt.messages)
    return Answer(
        text=text,
        model=storable(model),
        finish=finish,
        usage=_believable(usage) or Usage.estimated(size_in=size_in, size_out=text_size(text)),
    )


def _believable(usage: Usage | None) -> Usage | None:
    if usage is None:
        return None
    figures = (usage.input_tokens, usage.output_tokens, usage.cached_tokens)
    return usage if all(0 <= figure <= _MOST_TOKENS for figure in figures) else None


def cut_short(provider: str, why: str, *, after_first_token: bool) -> TransientProviderError:
    """The error of an answer that ended before the provider said that it was whole."""
    return TransientProviderError(
        f"{provider} cut its answer: {why}",
        error_class=ErrorClass.CUT_STREAM,
        after_first_token=after_first_token,
    )


def tool_called(provider: str) -> InvalidRequestError:
    """The error of an answer that is a tool call: there is nobody here to run the tool."""
    what = "the model called a tool instead of answering; send the prompt without tools"
    return InvalidRequestError(f"{provider}: {what}", provider_message=what)
