"""The order of a response's events: how its stream opens, what its text becomes, how it closes.

A worker that writes, a stored answer that is given again and a door that tells from the ledger
all take their events from here, so a client cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

import msgspec

from shared.messages.body import Body
from shared.messages.events import (
    ContentPartAdded,
    ContentPartDone,
    Event,
    FunctionCallArgumentsDelta,
    FunctionCallArgumentsDone,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
    ReasoningSummaryPartAdded,
    ReasoningSummaryPartDone,
    ReasoningSummaryTextDelta,
    ReasoningSummaryTextDone,
    ResponseCreated,
    ResponseInProgress,
    ResponseQueued,
    closing_event,
)
from shared.messages.file_search.found_text import FileCitation, OutputSearch
from shared.messages.file_search.search_events import (
    AnnotationAdded,
    FileSearchCompleted,
    FileSearchInProgress,
    FileSearchSearching,
)
from shared.messages.item import ReasoningItem
from shared.messages.output import (
    OutputCall,
    OutputItem,
    OutputMessage,
    OutputReasoning,
    OutputText,
    TokenLogprob,
    output_message_id,
    told_reasoning,
)
from shared.messages.record import MessageRecord, as_accepted
from shared.messages.response import response_object
from shared.messages.state import ResponseState


def opening(record: MessageRecord) -> list[Event]:
    """The two events every stream begins with: the response as it was when it was accepted."""
    queued = response_object(as_accepted(record))
    return [ResponseCreated(queued), ResponseQueued(queued)]


def beginning(record: MessageRecord, body: Body | None = None) -> ResponseInProgress:
    """A worker has taken it; `body` spares decoding it where the caller has it already."""
    taken = msgspec.structs.replace(as_accepted(record), state=ResponseState.IN_PROGRESS)
    return ResponseInProgress(response_object(taken, body))


def whole_answer(record: MessageRecord) -> Iterator[Event]:
    """Everything after the opening, the text in one piece, for a reader that has heard nothing."""
    *output, end = answer_at_once(record)
    if output:
        yield beginning(record)
    yield from (*output, end)


def search_begun(search: OutputSearch, index: int = 0) -> list[Event]:
    """A search that is under way: what it looks for is known, and nothing of what it finds."""
    begun = msgspec.structs.replace(search, results=None, status="in_progress")
    return [
        OutputItemAdded(begun, index),
        FileSearchInProgress(search.id, index),
        FileSearchSearching(search.id, index),
    ]


def search_ended(search: OutputSearch, index: int = 0) -> list[Event]:
    """The same search, once it has found what there is or has failed."""
    done = OutputItemDone(search, index)
    if search.status != "completed":
        return [done]
    return [FileSearchCompleted(search.id, index), done]


def answer_at_once(record: MessageRecord) -> Iterator[Event]:
    """The output and the end of a response whose answer comes in one piece: a person's, who had
    the message."""
    end = closing_event(record)
    yield from OutputEvents(record.id).close(end.response.output)
    yield end


class OutputEvents:
    """The events of one answer: its text comes in pieces, all else item by item, whole.

    What is told has its place in the output from then on: what comes before the text must be told
    before the text begins.
    """

    def __init__(self, message_id: str) -> None:
        self._response_id = message_id
        self._message_id = output_message_id(message_id)
        self._told = 0
        """How many items have their place."""
        self._thoughts = 0
        self._message_index: int | None = None

    def write(self, piece: str, logprobs: Sequence[TokenLogprob] = ()) -> list[Event]:
        """The next piece of text, with its tokens; the first one opens the message."""
        if self._message_index is not None:
            return [self._delta(piece, logprobs)]
        index = self._message_index = self._told
        self._told += 1
        item = OutputMessage(self._message_id, [], status="in_progress")
        part = ContentPartAdded(self._message_id, OutputText(""), index)
        return [OutputItemAdded(item, index), part, self._delta(piece, logprobs)]

    def think(self, thought: ReasoningItem) -> list[Event]:
        """What was thought before anything else is told."""
        return self.tell(told_reasoning(self._response_id, self._thoughts, thought))

    def tell(self, item: OutputItem) -> list[Event]:
        """An item that is whole already; nothing of a message without text."""
        index = self._told
        if isinstance(item, OutputMessage):
            [part] = item.content
            if not part.text:
                return []
            return [*self.write(part.text, part.logprobs), *self._close_message(item, index)]
        self._told += 1
        match item:
            case OutputCall():
                return _call_events(item, index)
            case OutputReasoning():
                self._thoughts += 1
                return _reasoning_events(item, index)
            case OutputSearch():
                return [*search_begun(item, index), *search_ended(item, index)]
            case _:
                assert_never(item)

    def close(self, output: Sequence[OutputItem]) -> list[Event]:
        """The output as it stands at the end: what of it was not told yet, and is not open."""
        events = list[Event]()
        for index, item in enumerate(output):
            if index == self._message_index and isinstance(item, OutputMessage):
                events += self._close_message(item, index)
            elif index >= self._told:
                events += self.tell(item)
        return events

    def _delta(self, piece: str, logprobs: Sequence[TokenLogprob]) -> OutputTextDelta:
        index = self._message_index or 0
        return OutputTextDelta(self._message_id, piece, index, logprobs=logprobs)

    def _close_message(self, item: OutputMessage, index: int) -> list[Event]:
        [part] = item.content
        return [
            *self._annotations(part.annotations, index),
            OutputTextDone(self._message_id, part.text, index, logprobs=part.logprobs),
            ContentPartDone(self._message_id, part, index),
            OutputItemDone(item, index),
        ]

    def _annotations(self, places: Sequence[FileCitation], index: int) -> Iterator[Event]:
        """Only here is it certain what of the text leaves, and so where in it they are."""
        for nth, place in enumerate(places):
            yield AnnotationAdded(self._message_id, place, nth, index)


def _call_events(call: OutputCall, index: int) -> list[Event]:
    begun = msgspec.structs.replace(call, arguments="", status="in_progress")
    return [
        OutputItemAdded(begun, index),
        FunctionCallArgumentsDelta(call.id, call.arguments, index),
        FunctionCallArgumentsDone(call.id, call.name, call.arguments, index),
        OutputItemDone(call, index),
    ]


def _reasoning_events(item: OutputReasoning, index: int) -> list[Event]:
    begun = msgspec.structs.replace(item, summary=[], encrypted_content=None, status="in_progress")
    events: list[Event] = [OutputItemAdded(begun, index)]
    for nth, part in enumerate(item.summary):
        text = part.get("text", "")
        events += [
            ReasoningSummaryPartAdded(item.id, {**part, "text": ""}, nth, index),
            ReasoningSummaryTextDelta(item.id, text, nth, index),
            ReasoningSummaryTextDone(item.id, text, nth, index),
            ReasoningSummaryPartDone(item.id, part, nth, index),
        ]
    return [*events, OutputItemDone(item, index)]
