"""A line of a batch as the message that it becomes, or as why it becomes none."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec

from shared.accepting.arrival import Arrival, seen_by
from shared.accepting.ledger_entry import DEFAULT_OUTPUT_TOKENS, LedgerEntries
from shared.batches.batch import Batch, BatchFault
from shared.batches.line_fault import KeptFault
from shared.batches.work import NewLine
from shared.clock import Clock
from shared.errors import InvalidRequest, NotFound, TooLarge
from shared.identifiers import RESPONSE
from shared.messages.body import Body, body_digest, encode_body
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.stored_body import KeptBody
from shared.messages.tenant import Tenant
from shared.storable_text import storable
from shared.surfaces.endpoints import decode_request, surface_of
from workers.batching.batch_request import BatchRequest

_BAD_REQUEST: Final = 400
_NOT_FOUND: Final = 404
_TOO_LARGE: Final = 413
_MOMENT: Final = timedelta(seconds=1)


class LineMessage(NamedTuple):
    """The line's row, and its message where it becomes one."""

    line: NewLine
    message: MessageRecord | None


class LineMessages:
    """Makes messages of the lines of a batch; equal lines of one are the same message."""

    def __init__(self, entries: LedgerEntries, clock: Clock, *, text_limit_bytes: int) -> None:
        self._entries = entries
        self._clock = clock
        self._text_limit_bytes = text_limit_bytes

    def of(self, request: BatchRequest, number: int, batch: Batch, *, is_held: bool) -> LineMessage:
        """What becomes of the line: it is refused as its request by itself would be."""
        try:
            record = self._record(request, batch)
        except (InvalidRequest, TooLarge, UnicodeError) as error:
            return LineMessage(refused_line(request, number, error), None)
        if is_held:
            record = msgspec.structs.replace(record, held_at=record.accepted_at)
        line = NewLine(line=number, custom_id=request.custom_id, message_id=record.id)
        return LineMessage(line, record)

    def _record(self, request: BatchRequest, of: Batch) -> MessageRecord:
        body = decode_request(of.endpoint, request.body, text_limit_bytes=self._text_limit_bytes)
        body = seen_by(body, of.principals)
        # Of a batch whose time is over no message is written, and each line is read all the same.
        deadline = max(of.expires_at, self._clock.now() + _MOMENT)
        arrival = _arrival(body, of, deadline)
        arrival.check()
        record = self._entries.record_of(arrival, p90_output_tokens=DEFAULT_OUTPUT_TOKENS)
        return msgspec.structs.replace(record, lane=Lane.BATCH)


def _arrival(body: Body, of: Batch, deadline: datetime) -> Arrival:
    raw = encode_body(body)
    digest = body_digest(body, raw)
    return Arrival(
        tenant=Tenant(of.tenant_id, of.tenant_id),
        body=body,
        kept=KeptBody(raw, len(raw), digest),
        surface=surface_of(of.endpoint),
        message_id=line_message_id(of.id, digest),
        deadline=deadline,
    )


def line_message_id(batch_id: str, digest: str) -> str:
    """The id of the message of that body in that batch: the same one whoever makes it, and
    however often. It sorts as the batch does.
    """
    drawn = sha256(f"{batch_id}\0{digest}".encode()).hexdigest()[:20]
    return f"{RESPONSE}_{batch_id[-32:-20]}{drawn}"


def unread_line(fault: BatchFault) -> NewLine:
    """A line that no request can be made of."""
    number = fault.line or 0
    return NewLine(
        line=number,
        custom_id=f"line-{number}",
        status_code=_BAD_REQUEST,
        error_code=fault.code,
        error_message=_kept(fault.message, fault.param),
    )


def refused_line(request: BatchRequest, number: int, error: Exception) -> NewLine:
    """A line whose request would have been refused by itself."""
    status, kind, param = _BAD_REQUEST, "invalid_value", None
    if isinstance(error, InvalidRequest | TooLarge | NotFound):
        kind, param = error.kind or kind, error.param
    if isinstance(error, TooLarge | NotFound):
        status = _TOO_LARGE if isinstance(error, TooLarge) else _NOT_FOUND
    return NewLine(
        line=number,
        custom_id=request.custom_id,
        status_code=status,
        error_code=kind,
        error_message=_kept(
            "It is no text." if isinstance(error, UnicodeError) else str(error), param
        ),
    )


def _kept(message: str, param: str | None) -> str:
    return KeptFault(storable(message), None if param is None else storable(param)).kept()
