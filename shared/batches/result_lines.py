"""A line's result as it is written: into the files of a batch, and to whoever reads meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Final, Literal

import msgspec

from shared.batches.batch import Batch, BatchLine
from shared.batches.items import BatchItems
from shared.batches.state import BatchSurface, ItemOutcome
from shared.embeddings.requests import EmbeddingList
from shared.identifiers import BATCH_REQUEST, nth_id
from shared.messages.record import MessageRecord
from shared.surfaces.endpoints import AnswerObject, answer_object
from shared.surfaces.failed_turn import TurnFailed

_PIECE_BYTES: Final = 65_536
_OK: Final = 200
_BAD_REQUEST: Final = 400
_SERVERS_FAULT: Final = 500
_NO_REASON: Final = "It was not answered."
_REASONS: Final = {
    ItemOutcome.EXPIRED: "It was not answered within the window of its batch.",
    ItemOutcome.CANCELLED: "It was cancelled before it was answered.",
}


class ResultKind(StrEnum):
    """The files of a batch."""

    OUTPUT = "output"
    """The lines that were answered; all that have ended, where a batch has one file."""
    ERRORS = "errors"
    """Those that ended otherwise."""


class LineError(msgspec.Struct, frozen=True):
    """Why a line has no response."""

    code: str
    message: str


class LineFault(msgspec.Struct, frozen=True):
    """The error that its request came to, in OpenAI's words."""

    message: str
    type: str
    code: str | None
    param: str | None = None


class LineRefusal(msgspec.Struct, frozen=True):
    """The body of a response that is an error."""

    error: LineFault


class LineResponse(msgspec.Struct, frozen=True):
    """What its request would have been answered by itself."""

    status_code: int
    request_id: str
    body: AnswerObject | EmbeddingList | LineRefusal


class ResultLine(msgspec.Struct, frozen=True):
    """A line of OpenAI's output and error files."""

    id: str
    custom_id: str
    response: LineResponse | None
    error: LineError | None


class MessageFault(msgspec.Struct, frozen=True):
    """What went wrong, in Anthropic's words."""

    type: str
    message: str


class MessageError(msgspec.Struct, frozen=True):
    """The error that its request came to, in Anthropic's words."""

    error: MessageFault
    request_id: str
    type: Literal["error"] = "error"


class MessageResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request of Anthropic's has come to."""

    type: Literal["succeeded", "errored", "canceled", "expired"]
    message: AnswerObject | None = None
    error: MessageError | None = None


class MessageResultLine(msgspec.Struct, frozen=True):
    """A line of Anthropic's results."""

    custom_id: str
    result: MessageResult


async def result_lines(of: Batch, items: BatchItems, kind: ResultKind) -> AsyncIterator[bytes]:
    """What that file has, or would have now, in pieces of whole lines; raises LedgerUnavailable."""
    piece = bytearray()
    async for item in items.each(of):
        line = result_line(of, item) if is_in(of, item, kind) else None
        if line is not None:
            piece += msgspec.json.encode(line) + b"\n"
        if len(piece) >= _PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    if piece:
        yield bytes(piece)


def is_in(of: Batch, item: BatchLine, kind: ResultKind) -> bool:
    """Whether that file has a line for it."""
    if item.outcome is ItemOutcome.WAITING:
        return False
    if of.surface is BatchSurface.ANTHROPIC:
        return kind is ResultKind.OUTPUT
    return (item.outcome is ItemOutcome.COMPLETED) is (kind is ResultKind.OUTPUT)


def result_line(of: Batch, item: BatchLine) -> ResultLine | MessageResultLine:
    """The line of one that has ended, in the words of its batch."""
    if of.surface is BatchSurface.ANTHROPIC:
        return MessageResultLine(item.custom_id, _result(of, item))
    own = nth_id(BATCH_REQUEST, of.id, item.line)
    if item.outcome in _REASONS:
        why = item.error_message or _REASONS[item.outcome]
        error = LineError(item.error_code or item.outcome, why)
        return ResultLine(own, item.custom_id, None, error)
    if item.embeddings is not None:
        told = LineResponse(_OK, own, item.embeddings.told())
        return ResultLine(own, item.custom_id, told, None)
    answer = _answer(of, item.message) if item.message else _refused(item)
    if isinstance(answer, TurnFailed):
        kind = _type(answer.status)
        fault = LineFault(answer.message, kind, answer.kind, param=item.error_param)
        told = LineResponse(answer.status, answer.response_id or own, LineRefusal(fault))
    else:
        told = LineResponse(_OK, item.message.id if item.message else own, answer)
    return ResultLine(own, item.custom_id, told, None)


def _result(of: Batch, item: BatchLine) -> MessageResult:
    if item.outcome is ItemOutcome.EXPIRED:
        return MessageResult("expired")
    if item.outcome is ItemOutcome.CANCELLED:
        return MessageResult("canceled")
    answer = _answer(of, item.message) if item.message else _refused(item)
    if not isinstance(answer, TurnFailed):
        return MessageResult("succeeded", message=answer)
    kind = "api_error" if answer.status >= _SERVERS_FAULT else "invalid_request_error"
    request_id = answer.response_id or nth_id(BATCH_REQUEST, of.id, item.line)
    fault = MessageFault(kind, answer.message)
    return MessageResult("errored", error=MessageError(fault, request_id))


def _answer(of: Batch, record: MessageRecord) -> AnswerObject | TurnFailed:
    try:
        return answer_object(of.endpoint, record)
    except TurnFailed as failed:
        return failed
    except msgspec.MsgspecError:
        # What nobody can read keeps no batch from its end.
        return TurnFailed(
            "Its response cannot be read.",
            status=_SERVERS_FAULT,
            kind="response_unreadable",
            response_id=record.id,
        )


def _refused(item: BatchLine) -> TurnFailed:
    """Of a line that became no message, or whose message is gone."""
    return TurnFailed(
        item.error_message or _NO_REASON,
        status=item.status_code or _BAD_REQUEST,
        kind=item.error_code or "invalid_request",
        response_id="",
    )


def _type(status: int) -> str:
    return "server_error" if status >= _SERVERS_FAULT else "invalid_request_error"
