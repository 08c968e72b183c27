"""The order of a response's events: how its stream opens, what its text becomes, how it closes.

A worker that writes, a stored answer that is given again and a door that tells from the ledger
all take their events from here, so a client cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shared.messages.body import Body
from shared.messages.events import (
    Closing,
    ContentPartAdded,
    ContentPartDone,
    Event,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
    ResponseCreated,
    ResponseInProgress,
    ResponseQueued,
    closing_event,
)
from shared.messages.record import MessageRecord, as_accepted
from shared.messages.response import OutputMessage, OutputText, response_object
from shared.messages.state import ResponseState


def opening(record: MessageRecord) -> list[Event]:
    """The two events every stream begins with: the response as it was when it was accepted."""
    queued = response_object(as_accepted(record))
    return [ResponseCreated(queued), ResponseQueued(queued)]


def beginning(record: MessageRecord, body: Body | None = None) -> ResponseInProgress:
    """A worker has taken it; `body` spares decoding it where the caller has it already."""
    taken = msgspec.structs.replace(as_accepted(record), state=ResponseState.IN_PROGRESS)
    return ResponseInProgress(response_object(taken, body))


def ending(record: MessageRecord, body: Body | None = None) -> Closing:
    """The event that closes the stream of a response which has ended, or which a human has."""
    return closing_event(response_object(record, body))


def whole_answer(record: MessageRecord) -> Iterator[Event]:
    """Everything after the opening, the text in one piece, for a reader that has heard nothing."""
    end = ending(record)
    if end.response.output:
        yield beginning(record)
    for item in end.response.output:
        text = TextEvents(item.id)
        yield from text.write("".join([part.text for part in item.content]))
        yield from text.close(item)
    yield end


class TextEvents:
    """The events of one message in the output, whose text comes in pieces."""

    def __init__(self, item_id: str) -> None:
        self._item_id = item_id
        self._is_open = False

    def write(self, piece: str) -> list[Event]:
        """The next piece of text; the first one opens the item."""
        delta = OutputTextDelta(self._item_id, piece)
        if self._is_open:
            return [delta]
        self._is_open = True
        item = OutputMessage(self._item_id, [], status="in_progress")
        return [OutputItemAdded(item), ContentPartAdded(self._item_id, OutputText("")), delta]

    def close(self, item: OutputMessage) -> list[Event]:
        """The item as it stands at the end; nothing where no text came."""
        if not self._is_open:
            return []
        [part] = item.content
        return [
            OutputTextDone(self._item_id, part.text),
            ContentPartDone(self._item_id, part),
            OutputItemDone(item),
        ]
