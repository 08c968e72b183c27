"""Accept: the moment from which a message cannot be lost. Written in groups, durable."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from operator import attrgetter
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import LedgerUnavailable
from shared.messages.record import ACCEPTED_FIELDS, MessageRecord
from shared.persistence.bulk_parameters import RowDocument
from shared.persistence.engine import Database
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from shared.persistence.prepared.constant_text import ConstantText
from shared.persistence.prepared.sqlite_thread import NewRows
from shared.persistence.statements import driver_errors, insert_new, transaction
from shared.persistence.tables import message

AcceptOutcome = Accepted | AlreadyAccepted

_OF_RECORD: Final = (*ACCEPTED_FIELDS, "state", "attempt", "not_before")
_COLUMNS: Final = (*_OF_RECORD, "wake_at", "wakes")
_values = attrgetter(*_OF_RECORD)
# What is not said is NULL; most of a row is, and a third of the time went into saying so.
_Row = msgspec.defstruct("_Row", [(name, Any, None) for name in _COLUMNS], omit_defaults=True)
_THERE: Final = "SELECT id FROM message WHERE id IN (SELECT value FROM json_each(?))"


class AcceptGroup:
    """Inserts a group of messages in one statement.

    Idempotency keys are unique here as well as in Redis, so that a flushed Redis doubles nothing.
    """

    def __init__(self, database: Database, *, wake_after_seconds: float) -> None:
        self._engine = database.durable
        self._roads = database.roads
        self._wake_after = timedelta(seconds=wake_after_seconds)
        columns = [message.c[name] for name in _COLUMNS]
        self._document = RowDocument(columns, database.durable.dialect)
        self._insert = (
            insert_new(message, sqlite_dialect=database.is_sqlite)
            .from_select(_COLUMNS, self._document.query)
            .returning(message.c.id)
        )
        # The same without a layer in between.
        self._text = ConstantText(self._insert, database.durable.dialect).text
        self._new_rows = NewRows(message, _COLUMNS, database.durable.dialect)
        key = message.c.tenant_id, message.c.idempotency_key
        self._keys = RowDocument(key, database.durable.dialect)
        self._owners = select(*key, message.c.id, message.c.body_digest).where(
            *(column == self._keys.relation.c[column.name] for column in key)
        )

    async def flush(self, records: list[MessageRecord]) -> Sequence[AcceptOutcome | BaseException]:
        """One outcome for each record, in order; raises LedgerUnavailable for all of them."""
        try:
            inserted = await self._inserted(records)
        except DBAPIError as error:
            # One value that the database cannot hold must not cost its neighbours their place.
            if len(records) == 1:
                return [error]
            return [(await self.flush([record]))[0] for record in records]
        if len(inserted) == len(records):
            return [Accepted(record) for record in records]
        return await self.outcomes(records, inserted)

    async def _inserted(self, records: list[MessageRecord]) -> set[str]:
        if self._roads.writer is None:
            new = await self._roads.durable.rows(self._text, self._rows(records))
            return {row[0] for row in new}
        rows = [self._new_rows.spelt(self._values(record)) for record in records]
        ids = [record.id for record in records]
        return await self._roads.writer.commit(partial(self._insert_all, ids, rows))

    def _insert_all(
        self, ids: list[str], rows: list[list[Any]], connection: sqlite3.Connection
    ) -> set[str]:
        if self._new_rows.insert(connection, rows) == len(rows):
            return {*ids}
        # Whose own row was there before is as good as new.
        there = connection.execute(_THERE, (msgspec.json.encode(ids).decode(),))
        return {row[0] for row in there}

    async def insert(
        self, connection: AsyncConnection, records: Sequence[MessageRecord]
    ) -> set[str]:
        """The ids of those that were not there, within their writer's transaction."""
        return await connection.run_sync(self.insert_now, records)

    def insert_now(self, connection: Connection, records: Sequence[MessageRecord]) -> set[str]:
        """The same, for a transaction that waits for nothing in between."""
        driver = connection.connection.driver_connection
        if isinstance(driver, sqlite3.Connection):
            rows = [self._new_rows.spelt(self._values(record)) for record in records]
            with driver_errors():
                return self._insert_all([record.id for record in records], rows, driver)
        return {*connection.execute(self._insert, self._rows(records)).scalars()}

    def _rows(self, records: Sequence[MessageRecord]) -> dict[str, str]:
        return self._document.parameters([_Row(*self._values(record)) for record in records])

    async def outcomes(
        self, records: Sequence[MessageRecord], inserted: set[str]
    ) -> list[AcceptOutcome | BaseException]:
        """What became of each, once those that were inserted are committed."""
        left_out = [
            {"tenant_id": record.tenant_id, "idempotency_key": record.idempotency_key}
            for record in records
            if record.id not in inserted and record.idempotency_key is not None
        ]
        owner_of: dict[tuple[str, str], tuple[str, str]] = {}
        try:
            if left_out:
                async with transaction(self._engine) as connection:
                    owners = await connection.execute(self._owners, self._keys.parameters(left_out))
                    owner_of = {(row[0], row[1]): (row[2], row[3]) for row in owners}
        except LedgerUnavailable as error:
            # The others are on disk.
            return [Accepted(record) if record.id in inserted else error for record in records]
        return [
            Accepted(record) if record.id in inserted else outcome_of(record, owner_of)
            for record in records
        ]

    def _values(self, record: MessageRecord) -> tuple[Any, ...]:
        if record.held_at is not None:
            return (*_values(record), None, 0)  # nobody wakes for it until it is released
        wake_at = record.not_before or record.accepted_at + self._wake_after
        return (*_values(record), wake_at, 0)


def outcome_of(
    record: MessageRecord, owner_of: Mapping[tuple[str, str], tuple[str, str]]
) -> AcceptOutcome | BaseException:
    """Of a record that was not inserted: whose row keeps its key, or its own, written before.

    Whose key has no owner any more was in the way of a row that was deleted since, and is in no
    row itself.
    """
    owner = owner_of.get((record.tenant_id, record.idempotency_key or ""))
    if owner is None and record.idempotency_key is not None:
        return LedgerUnavailable(
            "The message that had this key was deleted a moment ago. Try again.",
            retry_after_seconds=1.0,
        )
    if owner is None or owner[0] == record.id:
        return Accepted(record)
    return AlreadyAccepted(owner[0], same_body=owner[1] == record.body_digest)
