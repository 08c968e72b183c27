"""Erasures: whose everything is to go, how far that is, and what went so far."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, Row, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.erasing.tables import ErasureStage, ErasureSubject, erasure
from shared.errors import InvalidRequest
from shared.identifiers import ERASURE, new_id
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.storable_text import is_storable

LONGEST_NAME: Final = 128
_KEPT: Final = timedelta(days=30)
"""How long it can be read what became of an erasure."""


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """One request to erase. `name` is the user's or the conversation's id until it is done.

    `place` is how far its stage is; `waits_for` counts what this pass over the messages had to
    leave to the next. The other numbers are what went.
    """

    id: str
    tenant_id: str
    subject: ErasureSubject
    name: str | None
    created_at: datetime
    due_at: datetime | None
    stage: ErasureStage = ErasureStage.MESSAGES
    place: str = ""
    waits_for: int = 0
    messages: int = 0
    cancelled: int = 0
    stored_answers: int = 0
    completed_at: datetime | None = None


class Erasures:
    """Everything raises LedgerUnavailable when the database does not answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._forget = delete(erasure).where(self._ids.holds(erasure.c.id))

    async def begin(self, tenant_id: str, subject: ErasureSubject, name: str) -> Erasure:
        """A new one, on disk when this returns; the one that is under way where there is one.

        Raises InvalidRequest for what can be nobody's id.
        """
        if not 0 < len(name) <= LONGEST_NAME or not is_storable(name):
            raise InvalidRequest(
                f"The id of a {subject} has 1 to {LONGEST_NAME} characters, none of them NUL.",
                param=subject,
            )
        now = self._clock.now()
        made = Erasure(
            id=new_id(ERASURE),
            tenant_id=tenant_id,
            subject=subject,
            name=name,
            created_at=now,
            due_at=now,
        )
        try:
            async with transaction(self._database.durable) as connection:
                await connection.execute(insert(erasure).values(**msgspec.structs.asdict(made)))
        except IntegrityError:
            wanted = {"tenant": tenant_id, "subject": subject, "name": name}
            under_way = await self._one(_UNDER_WAY, wanted)
            # It was completed between the two statements.
            return await self.begin(tenant_id, subject, name) if under_way is None else under_way
        return made

    async def find(self, erasure_id: str, *, tenant_id: str) -> Erasure | None:
        """The tenant's erasure of that id."""
        if not is_storable(erasure_id):
            return None
        return await self._one(_FIND, {"id": erasure_id, "tenant": tenant_id})

    async def due(self) -> Erasure | None:
        """The one that has waited longest for its next step."""
        return await self._one(_DUE, {"now": self._clock.now()})

    async def advance(self, connection: AsyncConnection, old: Erasure, new: Erasure) -> None:
        """Write how far it is, where it stands as `old` says; nothing where somebody was first."""
        await connection.execute(
            update(erasure)
            .where(
                erasure.c.id == old.id,
                erasure.c.stage == old.stage,
                erasure.c.place == old.place,
                erasure.c.waits_for == old.waits_for,
                erasure.c.messages == old.messages,
                erasure.c.completed_at.is_(None),
            )
            .values(**msgspec.structs.asdict(new))
        )

    async def forget_old(self, limit: int = 100) -> int:
        """Forget up to `limit` that were completed a month ago."""
        bounds = {"before": self._clock.now() - _KEPT, "limit": limit}
        async with transaction(self._database.relaxed) as connection:
            found = (await connection.execute(_OLD, bounds)).scalars().all()
            if found:
                await connection.execute(self._forget, self._ids.parameters(found))
        return len(found)

    async def _one(self, query: Any, values: dict[str, Any]) -> Erasure | None:
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(query, values)).one_or_none()
        return None if row is None else _erasure(row)


def _erasure(row: Row[Any]) -> Erasure:
    return Erasure(**row._mapping)


_FIND: Final = select(erasure).where(
    erasure.c.id == bindparam("id"), erasure.c.tenant_id == bindparam("tenant")
)
_UNDER_WAY: Final = select(erasure).where(
    erasure.c.tenant_id == bindparam("tenant"),
    erasure.c.subject == bindparam("subject"),
    erasure.c.name == bindparam("name"),
)
_DUE: Final = (
    select(erasure).where(erasure.c.due_at <= bindparam("now")).order_by(erasure.c.due_at).limit(1)
)
_OLD: Final = (
    select(erasure.c.id)
    .where(erasure.c.completed_at < bindparam("before"))
    .order_by(erasure.c.completed_at)
    .limit(bindparam("limit", type_=Integer))
)
