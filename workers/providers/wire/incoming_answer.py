"""An answer while it comes in: the text so far, and whether it can stand at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from shared.identifiers import new_id
from shared.messages.item import FunctionCall, ReasoningItem
from shared.messages.output import AnswerItem, Logprobs
from shared.storable_text import storable
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError, TransientProviderError
from workers.providers.outcome import Answer, FinishReason, Oddity, Usage
from workers.providers.provider import Prompt, Sink
from workers.providers.wire.incoming_logprobs import IncomingLogprobs
from workers.providers.wire.incoming_thoughts import IncomingThoughts
from workers.providers.wire.loose_json import is_json
from workers.providers.wire.reading import NOT_REPORTED, CallPiece, EventReading, ThoughtPiece

_LONGEST_NAME: Final = 128
_CALL: Final = "call"
_FINISH_WORDS: Final = {
    "length": FinishReason.LENGTH,
    "max_tokens": FinishReason.LENGTH,
    "model_length": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "content_filter": FinishReason.CONTENT_FILTER,
    "refusal": FinishReason.CONTENT_FILTER,
    "safety": FinishReason.CONTENT_FILTER,
    "recitation": FinishReason.CONTENT_FILTER,
    "sensitive": FinishReason.CONTENT_FILTER,
}
"""Their words for ours, in lower case; any other is a plain stop (`eos`, `end_turn`)."""
_BROKEN_OFF: Final = frozenset(
    {"abort", "error", "cancelled", "network_error", "insufficient_system_resource"}
)
"""By these servers say that they stopped in the middle: no answer, whatever came."""
_NOT_UNDERSTOOD: Final = frozenset({Oddity.UNREADABLE_CHUNK, Oddity.ODD_FIELD})
_LEAVE_IN_DOUBT: Final = _NOT_UNDERSTOOD | {Oddity.NO_REASON}
_HALVES: Final = ("\ud800", "\udbff")
"""The first and the last first half of a character that JSON writes in two."""


class _IncomingCalls:
    """What is asked of tools, put together from its pieces, in the order in which each began."""

    def __init__(self) -> None:
        self._calls: list[tuple[CallPiece, list[str]]] = []
        self._open: dict[int, list[str]] = {}
        self._ids: dict[int, str] = {}

    def __bool__(self) -> bool:
        return bool(self._calls)

    @property
    def text(self) -> str:
        """All that was written for them."""
        return "".join([begun.name + "".join(pieces) for begun, pieces in self._calls])

    def take(self, piece: CallPiece) -> None:
        """Some servers count every call as the first: another id is another call."""
        other = piece.call_id and piece.call_id != self._ids.get(piece.place)
        if piece.place not in self._open or (other and piece.name):
            self._open[piece.place] = pieces = list[str]()
            self._ids[piece.place] = piece.call_id
            self._calls.append((piece, pieces))
        if piece.arguments:
            self._open[piece.place].append(piece.arguments)

    def calls(self, prompt: Prompt, *, is_whole: bool) -> Iterator[FunctionCall]:
        """Each under an id that no call of the prompt has; of an answer that was cut, those that
        can be read."""
        seen = {item.call_id for item in prompt.items if isinstance(item, FunctionCall)}
        for begun, pieces in self._calls:
            # Cut before its arguments, or without any: what was written behind it tells.
            is_done = is_whole or pieces is not self._calls[-1][1]
            arguments = "".join(pieces) or ("{}" if is_done else "")
            if not is_whole and not is_json(arguments):
                continue
            call_id = begun.call_id if begun.call_id not in seen | {""} else new_id(_CALL)
            seen.add(call_id)
            yield FunctionCall(storable(call_id), storable(begun.name), storable(arguments))


class IncomingAnswer:
    """Takes what was read of one call, passes the text on, and becomes an `Answer`."""

    def __init__(self, prompt: Prompt, *, provider: str, asked_model: str, maker: str) -> None:
        self._prompt = prompt
        self._provider = provider
        self._model = asked_model
        self._pieces: list[str] = []
        self._half = ""
        self._thought_size = 0
        self._maker = maker
        self._thoughts: IncomingThoughts | None = None
        self._thought: ReasoningItem | None = None
        self._finish = ""
        self._figures = NOT_REPORTED
        self._passed_on = 0
        self.has_ended = False
        self._calls = _IncomingCalls()
        self._logprobs = IncomingLogprobs() if prompt.top_logprobs is not None else None
        self.oddities: set[Oddity] = set()

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def is_finished(self) -> bool:
        """Whether the model has said why it stopped, and that it was not in the middle."""
        return bool(self._finish) and self._finish.lower() not in _BROKEN_OFF

    def take(self, reading: EventReading) -> None:
        """Note what was said."""
        self._model = reading.model or self._model
        self._finish = reading.finish or self._finish
        if reading.figures is not NOT_REPORTED:
            self._figures = self._figures.updated_by(reading.figures)
        self._thought_size += reading.thought_size
        if reading.thoughts and not self._pieces:
            self._think(reading.thoughts)
        for call in reading.calls:
            self._calls.take(call)
        if reading.logprobs and self._logprobs is not None:
            self._logprobs.take(reading.logprobs)
        self.has_ended |= reading.ends
        if reading.is_odd:
            self.oddities.add(Oddity.ODD_FIELD)
        if reading.text and (piece := self._whole_characters(reading.text)):
            self._pieces.append(piece)

    def _think(self, pieces: Sequence[ThoughtPiece]) -> None:
        """Kept where it was asked for, and where calls may follow from it."""
        if self._thoughts is None and (self._prompt.tools or self._prompt.reasoning):
            self._thoughts = IncomingThoughts(self._prompt, maker=self._maker)
        if self._thoughts is not None:
            self._thoughts.take(pieces)

    async def pass_on(self, on_delta: Sink | None) -> None:
        """Hand out what was thought once the text begins, and the text taken since in one piece."""
        new, is_first = self._pieces[self._passed_on :], not self._passed_on
        self._passed_on = len(self._pieces)
        if not new or on_delta is None:
            return
        if is_first and (thought := self._whole_thought()):
            await on_delta(thought)
        if self._logprobs is not None and (tokens := self._logprobs.new()):
            await on_delta(tokens)
        await on_delta("".join(new))

    def _whole_thought(self) -> ReasoningItem | None:
        if self._thought is None and self._thoughts is not None:
            self._thought = self._thoughts.item()
        return self._thought

    def end(self, *, is_whole_body: bool) -> None:
        """Nothing more comes. Raises ProviderError where what came is not the whole answer."""
        if self._finish.lower() in _BROKEN_OFF:
            raise self._cut(f"finish reason {self._finish[:40]!r}")
        if is_whole_body or self._finish:
            return
        if self.oddities & _NOT_UNDERSTOOD:
            raise self._malformed("a stream that cannot be read")
        if not self.has_ended:
            raise self._cut("the stream ended early")

    def answer(self, *, dropped: tuple[str, ...] = ()) -> Answer:
        """Raises ProviderError where the provider ended properly and gave no answer."""
        text, usage = self.text, self._usage
        finish = _FINISH_WORDS.get(self._finish.lower(), FinishReason.STOP)
        calls = tuple(self._calls.calls(self._prompt, is_whole=finish is FinishReason.STOP))
        if not text and calls and not self._prompt.tools:
            raise ProviderError(
                f"{self._provider}: the model called a tool that nobody offered",
                error_class=ErrorClass.TOOL_CALLED,
                usage=usage,
            )
        if not text and not calls and finish is FinishReason.STOP:
            raise self._empty(usage)
        if not self._finish:
            self.oddities.add(Oddity.NO_REASON)
        logprobs = self._logprobs.item() if self._logprobs is not None else None
        if text and self._logprobs is not None and logprobs is None:
            dropped = (*dropped, "logprobs")
        if self._figures.is_reported and not usage.reported:
            self.oddities.add(Oddity.ODD_FIGURES)
        return Answer(
            text=text,
            model=storable(self._model)[:_LONGEST_NAME],
            finish=finish,
            usage=usage,
            is_certain=not self.oddities & _LEAVE_IN_DOUBT,
            oddities=frozenset(self.oddities),
            items=self._items(calls, logprobs),
            dropped=dropped,
        )

    def _items(
        self, calls: tuple[FunctionCall, ...], logprobs: Logprobs | None
    ) -> tuple[AnswerItem, ...]:
        beside = (self._whole_thought(), logprobs)
        before = tuple([item for item in beside if item is not None])
        return (*before, *calls) if self._prompt.tools else before

    def note_on(self, error: ProviderError) -> None:
        """Tell the error how much had come before it, and what that is billed as."""
        error.after_first_token |= bool(self._pieces or self._calls or self._thought_size)
        if error.usage is None and error.may_be_billed:
            error.usage = self._usage

    @property
    def _usage(self) -> Usage:
        return self._figures.usage(
            self._prompt, text=self.text + self._calls.text, thought_size=self._thought_size
        )

    def _whole_characters(self, text: str) -> str:
        """The text with the halves of its characters joined; a last half waits for the other."""
        text, self._half = self._half + text, ""
        if text.isascii():
            return storable(text)
        if _HALVES[0] <= text[-1] <= _HALVES[1]:
            text, self._half = text[:-1], text[-1]
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        return storable(joined)

    def _empty(self, usage: Usage) -> ProviderError:
        """The model had nothing to say, where it said why it stopped and all could be read."""
        is_of_the_model = bool(self._finish) and not self.oddities & _NOT_UNDERSTOOD
        return TransientProviderError(
            f"{self._provider} sent an empty answer",
            error_class=(
                ErrorClass.EMPTY_ANSWER if is_of_the_model else ErrorClass.MALFORMED_ANSWER
            ),
            after_first_token=self._thought_size > 0,
            usage=usage,
        )

    def _cut(self, why: str) -> ProviderError:
        return TransientProviderError(
            f"{self._provider} cut its answer: {why}", error_class=ErrorClass.CUT_STREAM
        )

    def _malformed(self, what: str) -> ProviderError:
        return TransientProviderError(
            f"{self._provider} sent {what}", error_class=ErrorClass.MALFORMED_ANSWER
        )
