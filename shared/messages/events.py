"""The events of a response's stream, in OpenAI's words.

They are kept without their `sequence_number`; the stream's own numbering supplies it on the way
out, so that a number is never given twice and never skipped.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shared.messages.body import Body
from shared.messages.file_search.search_events import SearchEvent
from shared.messages.output import OutputItem, OutputText, TokenLogprob
from shared.messages.record import MessageRecord
from shared.messages.response import ResponseObject, read_response, response_object
from shared.messages.state import ResponseState


class _Event(msgspec.Struct, frozen=True, tag_field="type"):
    """One event. Encoded, it names its type first."""


class ResponseCreated(_Event, frozen=True, tag="response.created"):
    response: ResponseObject


class ResponseQueued(_Event, frozen=True, tag="response.queued"):
    response: ResponseObject


class ResponseInProgress(_Event, frozen=True, tag="response.in_progress"):
    response: ResponseObject


class ResponseRestarted(_Event, frozen=True, tag="response.restarted"):
    """Ours: what was streamed so far is void, the answer begins again."""

    response_id: str
    reason: str


class OutputItemAdded(_Event, frozen=True, tag="response.output_item.added"):
    item: OutputItem
    output_index: int = 0


class ContentPartAdded(_Event, frozen=True, tag="response.content_part.added"):
    item_id: str
    part: OutputText
    output_index: int = 0
    content_index: int = 0


class OutputTextDelta(_Event, frozen=True, tag="response.output_text.delta"):
    item_id: str
    delta: str
    output_index: int = 0
    content_index: int = 0
    logprobs: Sequence[TokenLogprob] = ()


class OutputTextDone(_Event, frozen=True, tag="response.output_text.done"):
    item_id: str
    text: str
    output_index: int = 0
    content_index: int = 0
    logprobs: Sequence[TokenLogprob] = ()


class ContentPartDone(_Event, frozen=True, tag="response.content_part.done"):
    item_id: str
    part: OutputText
    output_index: int = 0
    content_index: int = 0


class FunctionCallArgumentsDelta(_Event, frozen=True, tag="response.function_call_arguments.delta"):
    item_id: str
    delta: str
    output_index: int = 0


class FunctionCallArgumentsDone(_Event, frozen=True, tag="response.function_call_arguments.done"):
    item_id: str
    name: str
    arguments: str
    output_index: int = 0


class ReasoningSummaryPartAdded(_Event, frozen=True, tag="response.reasoning_summary_part.added"):
    item_id: str
    part: dict[str, str]
    summary_index: int
    output_index: int = 0


class ReasoningSummaryTextDelta(_Event, frozen=True, tag="response.reasoning_summary_text.delta"):
    item_id: str
    delta: str
    summary_index: int
    output_index: int = 0


class ReasoningSummaryTextDone(_Event, frozen=True, tag="response.reasoning_summary_text.done"):
    item_id: str
    text: str
    summary_index: int
    output_index: int = 0


class ReasoningSummaryPartDone(_Event, frozen=True, tag="response.reasoning_summary_part.done"):
    item_id: str
    part: dict[str, str]
    summary_index: int
    output_index: int = 0


class OutputItemDone(_Event, frozen=True, tag="response.output_item.done"):
    item: OutputItem
    output_index: int = 0


class ResponseCompleted(_Event, frozen=True, tag="response.completed"):
    response: ResponseObject


class ResponseFailed(_Event, frozen=True, tag="response.failed"):
    response: ResponseObject


class ResponseIncomplete(_Event, frozen=True, tag="response.incomplete"):
    response: ResponseObject


class ResponseCancelled(_Event, frozen=True, tag="response.cancelled"):
    """Ours: OpenAI ends a cancelled stream without a word."""

    response: ResponseObject


class ResponseRequiresAction(_Event, frozen=True, tag="response.requires_action"):
    """Ours: a human has the message."""

    response: ResponseObject


Closing = (
    ResponseCompleted
    | ResponseFailed
    | ResponseIncomplete
    | ResponseCancelled
    | ResponseRequiresAction
)
Event = (
    ResponseCreated
    | ResponseQueued
    | ResponseInProgress
    | ResponseRestarted
    | OutputItemAdded
    | ContentPartAdded
    | OutputTextDelta
    | OutputTextDone
    | ContentPartDone
    | FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | ReasoningSummaryPartAdded
    | ReasoningSummaryTextDelta
    | ReasoningSummaryTextDone
    | ReasoningSummaryPartDone
    | OutputItemDone
    | SearchEvent
    | Closing
)

_CLOSING: dict[ResponseState, type[Closing]] = {
    ResponseState.COMPLETED: ResponseCompleted,
    ResponseState.FAILED: ResponseFailed,
    ResponseState.INCOMPLETE: ResponseIncomplete,
    ResponseState.CANCELLED: ResponseCancelled,
    ResponseState.REQUIRES_ACTION: ResponseRequiresAction,
}


def closing_event(record: MessageRecord, body: Body | None = None) -> Closing:
    """The event that closes the stream of a response which has ended, or which a human has.

    `body` spares decoding it where the caller has it already.
    """
    return _CLOSING[record.state](response_object(record, body))


def encode_event(event: Event) -> bytes:
    """The JSON of one event, without its sequence number."""
    return msgspec.json.encode(event)


def numbered(event: bytes, sequence: int) -> bytes:
    """The event as it goes out."""
    return b'%s,"sequence_number":%d}' % (event[:-1], sequence)


class StoredEvent(msgspec.Struct, frozen=True):
    """What a door looks at in an event it passes on; `response` is empty where there is none."""

    type: str
    delta: str | None = None
    response: msgspec.Raw = msgspec.Raw()


_stored = msgspec.json.Decoder(StoredEvent)
_delta = msgspec.json.Decoder(OutputTextDelta)
_item_done = msgspec.json.Decoder(OutputItemDone)


def type_of(kind: type[_Event]) -> str:
    """How JSON names events of this kind."""
    return str(kind.__struct_config__.tag)


CLOSING_TYPES: frozenset[str] = frozenset(map(type_of, _CLOSING.values()))
TEXT_DELTA = type_of(OutputTextDelta)
ITEM_DONE = type_of(OutputItemDone)
RESTARTED = type_of(ResponseRestarted)


def read_item(event: bytes) -> OutputItem:
    """The item of a stored `response.output_item.done`."""
    return _item_done.decode(event).item


def read_delta(event: bytes) -> OutputTextDelta:
    """A stored `response.output_text.delta`, with the tokens that it consists of."""
    return _delta.decode(event)


def read_text(event: bytes) -> str:
    """The piece of text of a stored `response.output_text.delta`, without its tokens."""
    return read_event(event).delta or ""


def read_closing(event: bytes) -> ResponseObject:
    """The response of a stored event that ends a stream."""
    return read_response(read_event(event).response)


def read_event(event: bytes) -> StoredEvent:
    """The parts of a stored event that a door acts on."""
    return _stored.decode(event)
