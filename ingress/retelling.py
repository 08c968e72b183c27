"""A stream that Redis no longer has, told again from the ledger."""

from __future__ import annotations

import msgspec

from shared.messages.events import (
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
    encode_event,
)
from shared.messages.record import MessageRecord
from shared.messages.response import OutputMessage, OutputText, response_object
from shared.messages.state import ResponseState


def opening(record: MessageRecord) -> list[bytes]:
    """The two events every stream begins with: the response as it was when it was accepted."""
    queued = response_object(
        msgspec.structs.replace(
            record,
            state=ResponseState.QUEUED,
            finished_at=None,
            output_text=None,
            input_tokens=None,
        )
    )
    return [encode_event(ResponseCreated(queued)), encode_event(ResponseQueued(queued))]


def ending(record: MessageRecord) -> bytes:
    """The event that closes the stream of a response which has ended."""
    return encode_event(closing_event(response_object(record)))


def whole_answer(record: MessageRecord) -> list[bytes]:
    """Everything after the opening, the text in one piece, for a reader that has heard nothing."""
    response = response_object(record)
    told: list[Event] = []
    for item in response.output:
        told += _item(item, item.content[0])
    if told:
        beginning = msgspec.structs.replace(
            response,
            status=ResponseState.IN_PROGRESS,
            completed_at=None,
            output=[],
            usage=msgspec.UNSET,
            error=None,
            incomplete_details=None,
        )
        told.insert(0, ResponseInProgress(beginning))
    return [*map(encode_event, told), ending(record)]


def _item(item: OutputMessage, part: OutputText) -> list[Event]:
    empty = OutputText("")
    return [
        OutputItemAdded(msgspec.structs.replace(item, content=[], status="in_progress")),
        ContentPartAdded(item.id, empty),
        OutputTextDelta(item.id, part.text),
        OutputTextDone(item.id, part.text),
        ContentPartDone(item.id, part),
        OutputItemDone(item),
    ]
