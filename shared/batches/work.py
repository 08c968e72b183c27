"""What those who do the work write of a batch, each time under the state that they found it in."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Integer, bindparam, func, insert, select, text, true, update

from shared.batches.batch import Batch, BatchEstimate, BatchFault, batch_of, json_column
from shared.batches.batch_budget import set_aside_each
from shared.batches.state import BatchState, batch_sources_of
from shared.batches.tables import OPEN, batch, batch_item
from shared.clock import Clock
from shared.messages.record import MessageRecord
from shared.persistence.bulk_parameters import RowDocument
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.ledger.settlement.end_events import EndEvents
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.prepared.sqlite_thread import NewRows
from shared.persistence.statements import driver_errors, reading, transaction


class NewLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it goes into the ledger: with its message, with why it becomes none, or with the
    answer of what asks for no message."""

    line: int
    custom_id: str
    message_id: str | None = None
    status_code: int | None = None
    error_code: str | None = None
    error_message: str | None = None
    answer: str | None = None
    input_tokens: int | None = None


_ITEM_COLUMNS: Final = ("batch_id", *NewLine.__struct_fields__)


class Expanded(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of a batch that go into the ledger together: read from `begin_bytes` of its input on,
    up to the cursor. One that `is_cut` is the last, since the input was deleted.
    """

    begin_bytes: int
    cursor_bytes: int
    cursor_line: int
    lines: Sequence[NewLine]
    messages: Sequence[MessageRecord]
    is_last: bool
    is_cut: bool = False


class BatchWork:
    """Any number may work on one batch: what somebody else has done changes nothing here, and is
    told by False. Everything raises LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock, accepting: AcceptGroup) -> None:
        self._database = database
        self._clock = clock
        self._accepting = accepting
        self._events = EndEvents(database)
        columns = [batch_item.c[name] for name in _ITEM_COLUMNS]
        self._document = RowDocument(columns, database.durable.dialect)
        self._rows = NewRows(batch_item, _ITEM_COLUMNS, database.durable.dialect)
        self._insert = insert(batch_item).from_select(_ITEM_COLUMNS, self._document.query)
        # Whether its batch is there is asked for each line, with a plan that is made for each line
        # where a session keeps none: that takes longer than all else. This transaction keeps it.
        self._advance_to = _UNREAD if database.is_sqlite else _UNREAD.returning(_KEEPS_PLANS)

    async def open(self, *, behind: str = "", limit: int = 100) -> list[Batch]:
        """Batches that have not ended, the oldest first, from behind that id."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_OPEN, {"behind": behind, "limit": limit})
            return [*map(batch_of, rows)]

    async def refuse(self, of: Batch, faults: Sequence[BatchFault]) -> bool:
        """Nothing of it is run."""
        return await self.move(of, BatchState.FAILED, errors=tuple(faults))

    async def begin(
        self, of: Batch, *, total: int, model: str | None, estimate: BatchEstimate | None
    ) -> bool:
        """Its input is valid: its lines may become messages."""
        known = {"total": total, "model": model, "estimate": estimate}
        if of.set_aside is not None:
            known["set_aside_each"] = set_aside_each(estimate, most=of.set_aside)
        return await self.move(of, BatchState.IN_PROGRESS, **known)

    async def count(self, of: Batch, *, total: int) -> None:
        """It was cancelled before anybody had read how many lines it has."""
        async with transaction(self._database.durable) as connection:
            await connection.execute(_UNCOUNTED.values(total=total), {"b_id": of.id})

    async def expand(self, of: Batch, group: Expanded) -> BatchState | None:
        """Put the group into the ledger, with its messages if the batch still runs.

        Its state then, None where the group was there before. All or nothing of it is written.
        """
        now = self._clock.now()

        def work(connection: Connection) -> BatchState | None:
            state = self._advance(connection, of, group, now)
            if state is None:
                return None
            lines = group.lines
            if state is BatchState.IN_PROGRESS and now < of.expires_at:
                self._accepting.insert_now(connection, group.messages)
            else:
                lines = [_unbegun(line, state) for line in lines]
            self._put(connection, of, lines)
            if group.is_cut:
                self._cut(connection, of, group)
            return state

        return await self._database.commit(work)

    async def move(self, of: Batch, target: BatchState, **values: Any) -> bool:
        """It is in this state from now on, if it may be."""
        return await self._database.commit(lambda on: self.move_now(on, of, target, **values))

    def move_now(
        self, connection: Connection, /, of: Batch, target: BatchState, **values: Any
    ) -> bool:
        """The same, within its writer's transaction."""
        columns = {name: json_column(name, value) for name, value in values.items()}
        moving = _OF.where(batch.c.state.in_(batch_sources_of(target)))
        now = self._clock.now()
        columns |= {"state": target, f"{target}_at": now}
        is_moved = connection.execute(moving.values(columns), {"b_id": of.id}).rowcount > 0
        if is_moved and target.is_terminal:
            kind, whose = EventType(f"batch.{target}"), of.tenant_id
            self._events.add_batch(connection, batch_id=of.id, tenant_id=whose, kind=kind, now=now)
        return is_moved

    def note_files(self, connection: Connection, of: Batch, files: Mapping[str, str]) -> None:
        """Name the files of a batch that ends in this transaction, by their columns."""
        if files:
            connection.execute(_OF.values(**files), {"b_id": of.id})

    def _advance(
        self, connection: Connection, of: Batch, group: Expanded, now: datetime
    ) -> BatchState | None:
        place = {"b_to": group.cursor_bytes, "b_line": group.cursor_line}
        read_at = now if group.is_last else None
        found = {"b_id": of.id, "b_from": group.begin_bytes, "b_read_at": read_at, **place}
        advanced = connection.execute(self._advance_to, found).one_or_none()
        return None if advanced is None else advanced.state

    def _put(self, connection: Connection, of: Batch, lines: Sequence[NewLine]) -> None:
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            rows = [self._rows.spelt((of.id, *msgspec.structs.astuple(line))) for line in lines]
            with driver_errors():
                self._rows.insert(driver, rows)
            return
        told = [{"batch_id": of.id} | msgspec.structs.asdict(line) for line in lines]
        connection.execute(self._insert, self._document.parameters(told))

    def _cut(self, connection: Connection, of: Batch, group: Expanded) -> None:
        told = (
            f"The input file was deleted when {group.cursor_line} lines of it were read. Those "
            "behind them were not begun."
        )
        total = connection.scalar(_LINES, {"batch": of.id})
        errors = json_column("errors", (BatchFault("input_file_deleted", told),))
        values = _OF.values(total=total, errors=errors)
        connection.execute(values, {"b_id": of.id})


def _unbegun(line: NewLine, state: BatchState) -> NewLine:
    """A line that nobody will begin any more; one with a fault or an answer keeps that."""
    if line.error_code is not None or line.answer is not None:
        return line
    is_cancelled = state is BatchState.CANCELLING
    code = "batch_cancelled" if is_cancelled else "batch_expired"
    why = "cancelled" if is_cancelled else "over"
    told = f"The batch was {why} before this line was begun."
    return msgspec.structs.replace(line, message_id=None, error_code=code, error_message=told)


_OPEN: Final = (
    select(batch)
    .where(text(OPEN.replace("state", "batch.state")), batch.c.id > bindparam("behind"))
    .order_by(batch.c.id)
    .limit(bindparam("limit", type_=Integer))
)
_LINES: Final = select(func.count()).where(batch_item.c.batch_id == bindparam("batch"))
_OF: Final = update(batch).where(batch.c.id == bindparam("b_id"))
_UNCOUNTED: Final = _OF.where(batch.c.state == BatchState.CANCELLING, batch.c.total.is_(None))
_UNREAD: Final = (
    _OF.where(
        batch.c.cursor_bytes == bindparam("b_from"),
        batch.c.expanded_at.is_(None),
        batch.c.state.in_((BatchState.IN_PROGRESS, BatchState.CANCELLING)),
        batch.c.total.is_not(None),
    )
    .values(
        cursor_bytes=bindparam("b_to"),
        cursor_line=bindparam("b_line"),
        expanded_at=bindparam("b_read_at"),
    )
    .returning(batch.c.state)
)
_KEEPS_PLANS: Final = func.set_config("plan_cache_mode", "auto", true())
"""Until its transaction ends, which no other follows into."""
