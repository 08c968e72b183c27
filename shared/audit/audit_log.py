"""The audit log: written with each act, listed, and held against its own digests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, bindparam, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.audit.entry import (
    BEGINNING,
    ENTRY_FIELDS,
    LONGEST_ACTOR,
    LONGEST_TARGET,
    Actor,
    AuditEntry,
    written_detail,
)
from shared.audit.tables import audit_entry
from shared.clock import Clock
from shared.errors import ForebayError
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

_LOCK: Final = 4_626_221_402_107_348_001
"""Of Postgres' advisory locks: held by whoever appends, until it has committed."""
_AT_ONCE: Final = 1_000


class Verified(msgspec.Struct, frozen=True):
    """What a walk over the whole log found.

    `broken` is the number of the first entry that is not as it was written, or that is missing.
    `head` is the digest of the last one: kept elsewhere, it shows a log whose end was cut off.
    """

    entries: int
    head: str
    broken: int | None = None
    why: str | None = None


class AuditLog:
    """Everything raises LedgerUnavailable. Entries are numbered in the order of their commits."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(
        self, actor: Actor, act: str, target: str, detail: dict[str, Any] | None = None
    ) -> AuditEntry:
        """Append one entry: `act` is a verb of ours, such as `keys.revoke`, `target` what it is
        about, `detail` JSON without secrets and without what people wrote."""
        async with transaction(self._database.durable) as connection:
            await self._lock(connection)
            last = (await connection.execute(_LAST)).first()
            entry = AuditEntry(
                number=1 if last is None else last.number + 1,
                at=self._clock.now(),
                actor=actor.name[:LONGEST_ACTOR],
                role=actor.role,
                act=act,
                target=target[:LONGEST_TARGET],
                detail=written_detail(detail or {}),
                previous=BEGINNING if last is None else last.digest,
            ).sealed()
            await connection.execute(insert(audit_entry), msgspec.structs.asdict(entry))
        return entry

    @asynccontextmanager
    async def acting(
        self, actor: Actor, act: str, target: str, detail: dict[str, Any] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        """Around an act: it is in the log before it is done, so none is done unrecorded.

        What is put into the dictionary that this gives is recorded when it is done, and that it
        failed when it did; both name the number of the first entry as `of`.
        """
        begun = await self.record(actor, act, target, detail)
        came_of_it: dict[str, Any] = {}
        try:
            yield came_of_it
        except ForebayError as error:
            await self.record(actor, act, target, {"of": begun.number, "failed": error.code})
            raise
        if came_of_it:
            await self.record(actor, act, target, {"of": begun.number, **came_of_it})

    async def page(
        self,
        limit: int,
        *,
        before: int | None = None,
        actor: str | None = None,
        act: str | None = None,
    ) -> list[AuditEntry]:
        """The newest first; `before` is the number of the last entry of the page before."""
        query = _NEWEST
        if before is not None:
            query = query.where(audit_entry.c.number < before)
        if actor is not None:
            query = query.where(audit_entry.c.actor == actor)
        if act is not None:
            query = query.where(audit_entry.c.act == act)
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(query, {"limit": limit})
            return [_entry(row) for row in rows]

    async def verify(self) -> Verified:
        """Walk over all of it, a thousand entries at a time."""
        number, head = 0, BEGINNING
        async with reading(self._database.relaxed) as connection:
            while True:
                found = await connection.execute(_AFTER, {"after": number, "limit": _AT_ONCE})
                entries = [_entry(row) for row in found]
                for entry in entries:
                    if (why := _why_broken(entry, number, head)) is not None:
                        return Verified(number, head, broken=number + 1, why=why)
                    number, head = entry.number, entry.digest
                if len(entries) < _AT_ONCE:
                    return Verified(number, head)

    async def has(self, head: str) -> bool:
        """Whether an entry has this digest."""
        async with reading(self._database.relaxed) as connection:
            return (await connection.execute(_WITH_DIGEST, {"digest": head})).first() is not None

    async def _lock(self, connection: AsyncConnection) -> None:
        # Numbers have no gaps and each entry has the digest of the one before: one at a time.
        # SQLite's transactions are that already.
        if not self._database.is_sqlite:
            await connection.execute(_TAKE_LOCK, {"lock": _LOCK})


def _why_broken(entry: AuditEntry, number: int, head: str) -> str | None:
    if entry.number != number + 1:
        return f"entry {number + 1} is missing"
    if entry.previous != head:
        return f"entry {entry.number} is not bound to the one before it"
    if not entry.is_sealed():
        return f"entry {entry.number} was changed"
    return None


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(**{name: getattr(row, name) for name in ENTRY_FIELDS})


_LIMIT: Final = bindparam("limit", type_=Integer)
_NEWEST: Final = select(audit_entry).order_by(audit_entry.c.number.desc()).limit(_LIMIT)
_LAST: Final = (
    select(audit_entry.c.number, audit_entry.c.digest)
    .order_by(audit_entry.c.number.desc())
    .limit(1)
)
_AFTER: Final = (
    select(audit_entry)
    .where(audit_entry.c.number > bindparam("after", type_=Integer))
    .order_by(audit_entry.c.number)
    .limit(_LIMIT)
)
_WITH_DIGEST: Final = (
    select(audit_entry.c.number).where(audit_entry.c.digest == bindparam("digest")).limit(1)
)
_TAKE_LOCK: Final = text("SELECT pg_advisory_xact_lock(:lock)")
