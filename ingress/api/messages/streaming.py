"""A response's events as the stream of a message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Final, assert_never

from ingress.api.http.errors import error_answer
from ingress.api.http.sse import Unfinished, unfinished
from ingress.api.messages.stream_events import (
    MessageDelta,
    MessageEvent,
    MessageStart,
    MessageStop,
    Ping,
    StoppedFor,
    error_line,
    event_line,
)
from ingress.api.messages.told_blocks import ToldBlocks
from ingress.events import FollowedEvents, NumberedEvent
from shared.errors import ForebayError
from shared.messages.events import (
    CLOSING_TYPES,
    ITEM_DONE,
    RESTARTED,
    TEXT_DELTA,
    read_closing,
    read_item,
    read_text,
)
from shared.messages.file_search.found_text import OutputSearch
from shared.messages.output import OutputCall, OutputMessage, OutputReasoning, output_message_id
from shared.messages.record import MessageRecord
from shared.messages.response import DEFAULT_MODEL, ResponseObject
from shared.surfaces.failed_turn import failed_turn
from shared.surfaces.messages.message import (
    MessageObject,
    MessageUsage,
    answer_blocks,
    message_usage,
    stop_reason,
    thinking_block,
    tool_use_block,
)

_PING: Final = event_line(Ping())


class MessageWriter:
    """Turns the events of one response into those of a message, up to `message_stop`.

    What was sent cannot be taken back: when the answer begins again after some of it has gone out,
    the stream ends with an error that names the response, whose whole answer can be read by its
    id. So does one that is cut.
    """

    def __init__(
        self,
        record: MessageRecord,
        *,
        model: str | None,
        input_tokens: int,
        shows_thoughts: bool,
        request_id: str,
    ) -> None:
        self._message_id = record.id
        self._model = record.model or model or DEFAULT_MODEL
        self._input_tokens = input_tokens
        self._shows_thoughts = shows_thoughts
        self._request_id = request_id
        self._blocks = ToldBlocks()

    async def lines(self, events: FollowedEvents) -> AsyncIterator[bytes]:
        """The stream, event by event."""
        yield event_line(self._start())
        async for event in events:
            if event is None:
                yield _PING
            elif event.type == RESTARTED and self._blocks:
                yield self._unfinished("response_restarted")
                return
            elif event.type in CLOSING_TYPES:
                for line in self._close(event):
                    yield line
                return
            else:
                for told in self._tell(event):
                    yield event_line(told)
        yield self._unfinished("stream_cut")

    def _start(self) -> MessageStart:
        return MessageStart(
            MessageObject(
                id=output_message_id(self._message_id),
                model=self._model,
                content=[],
                stop_reason=None,
                usage=MessageUsage(self._input_tokens, 0),
            )
        )

    def _tell(self, event: NumberedEvent) -> Iterator[MessageEvent]:
        if event.type == TEXT_DELTA:
            yield from self._blocks.say(read_text(event.body))
        elif event.type == ITEM_DONE:
            item = read_item(event.body)
            match item:
                case OutputMessage():
                    yield from self._blocks.end_text()
                case OutputReasoning():
                    thought = thinking_block(item) if self._shows_thoughts else None
                    yield from self._blocks.tell(thought) if thought else ()
                case OutputCall():
                    yield from self._blocks.tell(tool_use_block(item))
                case OutputSearch():
                    return  # nobody asks for one here
                case _:
                    assert_never(item)

    def _close(self, event: NumberedEvent) -> Iterator[bytes]:
        response = read_closing(event.body)
        if failed := failed_turn(response):
            yield self._error(failed)
            return
        whole = answer_blocks(response, shows_thoughts=self._shows_thoughts)
        rest = self._blocks.close(whole)
        if rest is None:
            yield self._unfinished("response_restarted")
            return
        yield from map(event_line, [*rest, _end(response), MessageStop()])

    def _unfinished(self, code: Unfinished) -> bytes:
        return self._error(unfinished(self._message_id, code))

    def _error(self, refusal: ForebayError) -> bytes:
        return error_line(error_answer(refusal).anthropics(self._request_id))


def _end(response: ResponseObject) -> MessageDelta:
    """Nobody knew before who would answer: it is on the response, as all else is."""
    return MessageDelta(
        StoppedFor(stop_reason(response)),
        message_usage(response.usage, response.service_tier),
        cost=response.cost,
        turn=response.turn,
    )
