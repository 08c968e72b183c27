"""An answer while it is being read: the text so far, and whether it can stand at the end."""

from __future__ import annotations

from workers.providers.error_class import ErrorClass
from workers.providers.failures import (
    InvalidRequestError,
    TransientProviderError,
)
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.providers.provider import Prompt, TextSink
from workers.providers.wire.timeouts import CallClock


class AnswerText:
    """Collects the pieces of a streamed answer and passes each on as it comes."""

    def __init__(self, on_delta: TextSink, clock: CallClock) -> None:
        self._on_delta = on_delta
        self._clock = clock
        self._pieces: list[str] = []

    async def add(self, piece: str) -> None:
        if piece:
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
    """The answer, or a malformed one's error when the provider ended properly and said nothing."""
    if not text and finish is FinishReason.STOP:
        raise TransientProviderError(
            f"{provider} sent an empty answer", error_class=ErrorClass.MALFORMED_ANSWER
        )
    characters_in = sum(len(message.content) for message in prompt.messages)
    return Answer(
        text=text,
        model=model,
        finish=finish,
        usage=usage or Usage.estimated(characters_in=characters_in, characters_out=len(text)),
    )


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
