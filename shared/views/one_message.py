"""All there is to see of one message: what was said, how it came about, where the time went."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import bindparam, select

from shared.batches.tables import batch_item
from shared.dispatch.flows import Flow, FlowBoard
from shared.errors import RedisUnavailable
from shared.messages.body import Body
from shared.messages.file_search.found_text import FoundText
from shared.messages.item import Item, SearchCall
from shared.messages.output import decode_items, said_by_id
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.stored_body import readable_body
from shared.persistence.engine import Database
from shared.persistence.message_history import BookedAttempt, MessageHistory, read_history
from shared.persistence.statements import reading
from shared.persistence.tables import DeadLetterState, HandoffState
from shared.views.message_pages import MessageRow
from shared.views.waterfall.stretch import Stretch, StretchKind
from shared.views.waterfall.waterfall import waterfall

CHAT: Final = "chatcmpl-"


class LineOfBatch(msgspec.Struct, frozen=True):
    """Which line of which batch a message is."""

    batch_id: str
    line: int
    custom_id: str


class LetterOfMessage(msgspec.Struct, frozen=True):
    """A dead letter of the message."""

    id: str
    state: DeadLetterState
    reason: str
    detail: str
    created_at: datetime


class MessageDetail(MessageRow, frozen=True, kw_only=True):
    """What a list does not tell of it."""

    deadline: datetime
    held_at: datetime | None
    released_at: datetime | None
    erased_at: datetime | None
    error_message: str | None
    previous_id: str | None
    traceparent: str | None


class OneMessage(msgspec.Struct, frozen=True, kw_only=True):
    """`message` is None where it was deleted: what was spent on it is kept.

    `said` is what was asked and what was answered, in order, and nothing where another version
    wrote it that this one cannot read; `passages` is what was found for it.
    `report` is how the answer came about, part by part: routing, context, cache, variant.
    `waits_because` is why it waits now, as a person reads it.
    """

    id: str
    message: MessageDetail | None
    tenant_name: str | None
    asked_model: str | None
    waits_because: str | None
    stretches: Sequence[Stretch]
    attempts: Sequence[BookedAttempt]
    report: dict[str, Any]
    said: Sequence[Item]
    passages: Sequence[FoundText]
    lines: Sequence[LineOfBatch]
    letters: Sequence[LetterOfMessage]
    handoff_id: str | None
    handoff_state: HandoffState | None


class MessageViews:
    """Reads messages one by one; raises LedgerUnavailable."""

    def __init__(self, database: Database, board: FlowBoard) -> None:
        self._database = database
        self._board = board

    async def show(self, message_id: str) -> OneMessage:
        """By its id, or by that of a chat completion; raises NotFound."""
        known = response_id(message_id)
        history = await read_history(self._database, known)
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_LINES, {"message": known})
            lines = [LineOfBatch(*row) for row in rows]
        return _told(known, history, lines, await self._reason(history.record))

    async def _reason(self, record: MessageRecord | None) -> str | None:
        """Why its flow waits, as the leader of the dispatch says it."""
        is_held = (
            record is not None
            and record.state is ResponseState.QUEUED
            and record.held_at is not None
            and record.released_at is None
        )
        if record is None or not is_held:
            return None
        flow = Flow(record.lane, record.tenant_id)
        try:
            told = await self._board.of(flow)
        except RedisUnavailable:
            return None
        return None if told is None or flow not in told.flows else told.flows[flow].reason


def response_id(identifier: str) -> str:
    """The id of the message behind a chat completion's, or behind its own."""
    if identifier.startswith(CHAT):
        return f"resp_{identifier.removeprefix(CHAT)}"
    return identifier


def _told(
    message_id: str, history: MessageHistory, lines: list[LineOfBatch], reason: str | None
) -> OneMessage:
    record = history.record
    body = None if record is None else readable_body(record.body.encode())
    return OneMessage(
        id=message_id,
        message=None if record is None else _detail(record),
        tenant_name=history.tenant_name,
        asked_model=None if body is None else body.model,
        waits_because=reason,
        stretches=[_explained(each, reason) for each in waterfall(history)],
        attempts=history.attempts,
        report=msgspec.json.decode(record.report) if record and record.report else {},
        said=_said(record, body),
        passages=_passages(record),
        lines=lines,
        letters=[
            LetterOfMessage(each.id, each.state, each.reason, each.detail, each.created_at)
            for each in history.dead_letters
        ],
        handoff_id=history.handoff_id,
        handoff_state=history.handoff_state,
    )


def _explained(each: Stretch, reason: str | None) -> Stretch:
    """With why it is held now, which nobody has noted yet."""
    if each.kind is StretchKind.HELD and each.end is None and reason is not None:
        return msgspec.structs.replace(each, reason=reason)
    return each


def _detail(record: MessageRecord) -> MessageDetail:
    names = MessageDetail.__struct_fields__
    return MessageDetail(**{name: getattr(record, name) for name in names})


def _said(record: MessageRecord | None, body: Body | None) -> list[Item]:
    if record is None or body is None:
        return []
    answered = said_by_id(record.id, record.output_text, record.output_items)
    return [*body.input, *(item for _, item in answered)]


def _passages(record: MessageRecord | None) -> list[FoundText]:
    items = () if record is None else decode_items(record.output_items)
    found = [item for item in items if isinstance(item, SearchCall)]
    return [passage for each in found for passage in each.results or ()]


_LINES: Final = select(batch_item.c.batch_id, batch_item.c.line, batch_item.c.custom_id).where(
    batch_item.c.message_id == bindparam("message")
)
