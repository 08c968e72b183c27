"""The statements that read lines of a batch together with their messages."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from shared.batches.state import ItemOutcome
from shared.batches.tables import batch, batch_item
from shared.messages.state import ResponseState
from shared.persistence.statements import RECORD_COLUMNS
from shared.persistence.tables import message

FAILINGS: Final[dict[ItemOutcome, str | None]] = {
    ItemOutcome.FAILED: None,
    ItemOutcome.EXPIRED: "batch_expired",
    ItemOutcome.CANCELLED: "batch_cancelled",
}
"""The code of an outcome that is none of COMPLETED and WAITING; None for the message's own."""

LINE_CANCELLED: Final = "line_cancelled"
"""The code of a line that was cancelled by itself."""
_UNBEGUN: Final = {
    **{code: literal(str(outcome)) for outcome, code in FAILINGS.items() if code},
    LINE_CANCELLED: literal(str(ItemOutcome.CANCELLED)),
}

# What ended without an answer after its deadline was not answered in time, whatever else it says.
_IS_LATE: Final[ColumnElement[bool]] = and_(
    message.c.state.in_((ResponseState.FAILED, ResponseState.CANCELLED)),
    message.c.finished_at >= message.c.deadline,
)
_GONE: Final[ColumnElement[bool]] = or_(message.c.id.is_(None), message.c.erased_at.is_not(None))
OUTCOME: Final[ColumnElement[str]] = case(
    (batch_item.c.answer.is_not(None), literal(str(ItemOutcome.COMPLETED))),
    (
        batch_item.c.message_id.is_(None),
        case(
            _UNBEGUN,
            value=batch_item.c.error_code,
            else_=literal(str(ItemOutcome.FAILED)),
        ),
    ),
    (_GONE, literal(str(ItemOutcome.FAILED))),
    (_IS_LATE, literal(str(ItemOutcome.EXPIRED))),
    (
        message.c.state.in_((ResponseState.COMPLETED, ResponseState.INCOMPLETE)),
        literal(str(ItemOutcome.COMPLETED)),
    ),
    (message.c.state == ResponseState.FAILED, literal(str(ItemOutcome.FAILED))),
    (message.c.state == ResponseState.CANCELLED, literal(str(ItemOutcome.CANCELLED))),
    else_=literal(str(ItemOutcome.WAITING)),
)
_ITEM_COLUMNS: Final = tuple(
    batch_item.c[name]
    for name in (
        *("line", "custom_id", "message_id", "status_code", "error_code", "error_message"),
        "answer",
    )
)
OF_ITEM: Final = len(_ITEM_COLUMNS) + 2
WITH_MESSAGES: Final = batch_item.outerjoin(message, message.c.id == batch_item.c.message_id)
_OF_BATCH: Final = batch_item.c.batch_id == bindparam("batch")
_BEHIND: Final = batch_item.c.line > bindparam("after", type_=Integer)
_LIMIT: Final = bindparam("limit", type_=Integer)
PAGE: Final[Select[Any]] = (
    select(
        *_ITEM_COLUMNS,
        OUTCOME.label("outcome"),
        (~_GONE).label("is_there"),
        *(column.label(f"its_{column.name}") for column in RECORD_COLUMNS),
    )
    .select_from(WITH_MESSAGES)
    .where(_OF_BATCH, _BEHIND)
    .order_by(batch_item.c.line)
    .limit(_LIMIT)
)
COUNTS: Final = (
    select(OUTCOME.label("outcome"), func.count())
    .select_from(WITH_MESSAGES)
    .where(_OF_BATCH)
    .group_by(literal_column("outcome"))
)
WAITING: Final = (
    select(batch_item.c.line, batch_item.c.message_id)
    .select_from(WITH_MESSAGES)
    .where(_OF_BATCH, _BEHIND, OUTCOME.in_([str(ItemOutcome.WAITING)]))
    .order_by(batch_item.c.line)
    .limit(_LIMIT)
)
MESSAGE_OF_LINE: Final = (
    select(batch_item.c.message_id)
    .join(batch, batch.c.id == batch_item.c.batch_id)
    .where(
        _OF_BATCH,
        batch_item.c.line == bindparam("line", type_=Integer),
        batch.c.tenant_id == bindparam("tenant", type_=String),
    )
)
# Workers may begin what they have heard of; what is held waits for nobody who would release it.
_IS_HEARD_OF: Final = and_(
    message.c.state == ResponseState.QUEUED,
    or_(message.c.held_at.is_(None), message.c.released_at.is_not(None)),
)
UNENDED: Final = (
    select(batch_item.c.message_id)
    .select_from(WITH_MESSAGES)
    .where(_OF_BATCH, _BEHIND, OUTCOME.in_([str(ItemOutcome.WAITING)]))
    .order_by(
        case((_IS_HEARD_OF, 0), (message.c.state == ResponseState.QUEUED, 2), else_=1),
        batch_item.c.line,
    )
)
TOKENS: Final = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
_MESSAGES: Final = select(batch_item.c.message_id).where(_OF_BATCH).distinct().subquery()
USAGE: Final = select(
    *(func.sum(message.c[name]).label(name) for name in (*TOKENS, "cost"))
).select_from(_MESSAGES.join(message, message.c.id == _MESSAGES.c.message_id))
EMBEDDED_TOKENS: Final = select(func.sum(batch_item.c.input_tokens)).where(_OF_BATCH)
