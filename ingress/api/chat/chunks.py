"""A response's events in the shape of chat completion chunks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import replace

from ingress.api.chat.chunk import ChatChunk, ChunkCall, ChunkChoice, ChunkDelta, ChunkFunction
from ingress.api.http.error_answer import ErrorBody
from ingress.api.http.errors import error_answer
from ingress.api.http.sse import KEEP_ALIVE, Unfinished, unfinished
from ingress.events import FollowedEvents, NumberedEvent
from shared.errors import ForebayError
from shared.messages.events import (
    CLOSING_TYPES,
    ITEM_DONE,
    RESTARTED,
    TEXT_DELTA,
    read_closing,
    read_delta,
    read_item,
    read_text,
)
from shared.messages.output import OutputCall, OutputItem, TokenLogprob
from shared.messages.record import MessageRecord
from shared.messages.response import DEFAULT_MODEL, ResponseObject
from shared.surfaces.chat.completion import (
    ChoiceLogprobs,
    answer_calls,
    answer_logprobs,
    answer_text,
    completion_id,
    completion_usage,
    finish_reason,
)
from shared.surfaces.failed_turn import failed_turn

_DONE: Final = b"data: [DONE]\n\n"


class ChunkWriter:
    """Turns the events of one response into the lines of a chat stream, up to `[DONE]`.

    The chunks that end it name the model that answered, as a whole answer does.
    Chat chunks cannot be taken back: when the answer begins again after some of it has gone out,
    the stream ends with an error that names the response, whose whole answer can be read by its id.
    So does one that is cut.
    """

    def __init__(
        self,
        record: MessageRecord,
        *,
        model: str | None,
        include_usage: bool,
        offers_tools: bool,
        wants_logprobs: bool = False,
    ) -> None:
        self._message_id = record.id
        self._id = completion_id(record.id)
        self._created = int(record.accepted_at.timestamp())
        self._model = record.model or model or DEFAULT_MODEL
        self._include_usage = include_usage
        # Clients make a text of an empty one; where tools are offered there may be none.
        self._opening = ChunkDelta("assistant", None if offers_tools else "")
        self._said = ""
        self._wants_logprobs = wants_logprobs
        self._tokens_told = 0
        self._called: list[OutputCall] = []

    async def lines(self, events: FollowedEvents) -> AsyncIterator[bytes]:
        """The stream, chunk by chunk."""
        yield self._chunk(self._opening)
        async for event in events:
            if event is None:
                yield KEEP_ALIVE
            elif event.type == TEXT_DELTA:
                yield self._said_by(event.body)
            elif event.type == ITEM_DONE:
                for line in self._tell(read_item(event.body)):
                    yield line
            elif event.type == RESTARTED and (self._said or self._called):
                yield self._unfinished("response_restarted")
                return
            elif event.type in CLOSING_TYPES:
                for line in self._close(event):
                    yield line
                return
        yield self._unfinished("stream_cut")

    def _said_by(self, event: bytes) -> bytes:
        if not self._wants_logprobs:
            return self._say(read_text(event))
        piece = read_delta(event)
        return self._say(piece.delta, piece.logprobs)

    def _say(self, text: str, logprobs: Sequence[TokenLogprob] = ()) -> bytes:
        self._said += text
        self._tokens_told += len(logprobs)
        return self._chunk(ChunkDelta(content=text), ChoiceLogprobs.of(logprobs))

    def _tell(self, item: OutputItem) -> list[bytes]:
        """A call, which is whole and so needs no taking back; text was told in its pieces."""
        if not isinstance(item, OutputCall):
            return []
        index = len(self._called)
        self._called.append(item)
        begun = ChunkCall(index, item.call_id, ChunkFunction(item.name, ""), "function")
        return [
            self._chunk(ChunkDelta(tool_calls=[one]))
            for one in (begun, ChunkCall(index, function=ChunkFunction(arguments=item.arguments)))
        ]

    def _close(self, event: NumberedEvent) -> list[bytes]:
        response = read_closing(event.body)
        if failed := failed_turn(response):
            return [_error(failed)]
        # Nobody knew before who would answer.
        self._model = response.model
        whole, calls = answer_text(response), answer_calls(response)
        told = len(self._called)
        if not whole.startswith(self._said) or calls[:told] != self._called:
            return [self._unfinished("response_restarted")]
        rest = whole[len(self._said) :]
        tokens = answer_logprobs(response)[self._tokens_told :]
        lines = [self._say(rest, tokens)] if rest else []
        for call in calls[told:]:
            lines += self._tell(call)
        lines.append(self._end(response))
        if self._include_usage:
            lines.append(self._usage(response))
        return [*lines, _DONE]

    def _chunk(self, delta: ChunkDelta, logprobs: ChoiceLogprobs | None = None) -> bytes:
        choice = ChunkChoice(delta, logprobs=logprobs or msgspec.UNSET)
        return _line(self._bare([choice]))

    def _end(self, response: ResponseObject) -> bytes:
        bare = self._bare([ChunkChoice(ChunkDelta(), finish_reason(response))])
        return _line(replace(bare, cost=response.cost, turn=response.turn))

    def _usage(self, response: ResponseObject) -> bytes:
        return _line(replace(self._bare([]), usage=completion_usage(response.usage) or None))

    def _bare(self, choices: list[ChunkChoice]) -> ChatChunk:
        return ChatChunk(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=None if self._include_usage else msgspec.UNSET,
        )

    def _unfinished(self, code: Unfinished) -> bytes:
        return _error(unfinished(self._message_id, code))


def _line(chunk: ChatChunk) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(chunk)


def _error(refusal: ForebayError) -> bytes:
    """An error in the middle of a stream, where OpenAI's clients look for it."""
    return b"data: %b\n\n" % msgspec.json.encode(ErrorBody(error_answer(refusal).detail))
