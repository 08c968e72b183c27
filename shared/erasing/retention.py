"""Retention: what is old is deleted, a little at a time, so that nobody waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Integer, Select, bindparam, delete, exists, select

from shared.batches.state import ENDED_BATCHES
from shared.batches.tables import IN_OPEN_BATCH, batch
from shared.clock import Clock
from shared.erasing.batch_lines import BatchLines
from shared.feedback.tables import feedback
from shared.identifiers import RESPONSE, first_id
from shared.messages.state import TERMINAL
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.persistence.tables import HandoffState, attempt, dead_letter, handoff, message, tenant
from shared.persistence.tombstones import Tombstones
from shared.settings.servers import LedgerSettings

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_AT_ONCE: Final = {batch.name: 1}
"""A batch goes with tens of thousands of lines."""


class _Keeping(NamedTuple):
    """For how long whose rows are kept: those of these tenants, or of all but these."""

    days: int
    tenants: frozenset[str]
    is_of_all_others: bool = False

    def is_about(self, tenant_id: str | None) -> bool:
        return (tenant_id in self.tenants) is not self.is_of_all_others


class Retention:
    """Forgets ended messages and dead letters after `retention_days`, or after their tenant's own,
    and what was spent after `attempt_retention_days`; raises LedgerUnavailable.

    With a message goes what other tables say of it. Rows are looked at in the order of their age,
    once for each time that is in force: how far that is, is known here, and begun anew by whoever
    takes over, or when a tenant is given another time.
    """

    def __init__(self, database: Database, settings: LedgerSettings, clock: Clock) -> None:
        self._engine = database.relaxed
        self._settings = settings
        self._clock = clock
        self._ids = IdList(database.relaxed.dialect)
        self._tombstones = Tombstones(database)
        self._batch_lines = BatchLines(database)
        self._places: dict[tuple[str, _Keeping], datetime] = {}
        self._rounds = count()
        self._delete = {
            named_by.table.name: delete(named_by.table).where(self._ids.holds(named_by))
            for named_by in (
                message.c.id,
                dead_letter.c.id,
                handoff.c.id,
                attempt.c.message_id,
                batch.c.id,
                feedback.c.id,
            )
        }

    async def forget_old(self, limit: int = 500) -> dict[str, int]:
        """Look at up to `limit` rows of each table, and delete those whose time is over.

        How many there were; of what was spent it is all attempts of up to `limit` messages. Where
        tenants have times of their own, a round is about one of these as well.
        """
        own = await self._own_times()
        spoken_for = frozenset[str]().union(*(each.tenants for each in own))
        keepings = [_Keeping(self._settings.retention_days, spoken_for, is_of_all_others=True)]
        if own:
            keepings.append(own[next(self._rounds) % len(own)])
        self._places = {
            key: place for key, place in self._places.items() if key[1] in {*own, *keepings}
        }
        gone = {
            table: sum(
                [await self._forget(table, each, _AT_ONCE.get(table, limit)) for each in keepings]
            )
            for table in _BY_AGE
        }
        return gone | {"attempt": await self._forget_attempts(limit)}

    async def _own_times(self) -> list[_Keeping]:
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_OWN_TIMES)).all()
        tenants: dict[int, set[str]] = {}
        for row in rows:
            tenants.setdefault(row.retention_days, set()).add(row.id)
        return [_Keeping(days, frozenset(whose)) for days, whose in sorted(tenants.items())]

    async def _forget(self, table: str, keeping: _Keeping, limit: int) -> int:
        place = self._places.get((table, keeping), _BEGINNING)
        before = self._clock.now() - timedelta(days=keeping.days)
        bounds = {"place": place, "before": before, "limit": limit}
        # Looked up first: most rounds find nothing, and take no lock then.
        async with reading(self._engine) as connection:
            rows = (await connection.execute(_BY_AGE[table], bounds)).all()
        if not rows:
            return 0
        gone = await self._delete_of(
            table, [row.id for row in rows if keeping.is_about(row.tenant_id)]
        )
        # A whole look at one moment would be looked at for ever.
        is_stuck = len(rows) == limit and rows[-1].at == place
        self._places[table, keeping] = rows[-1].at + _TICK * is_stuck
        return gone

    async def _forget_attempts(self, limit: int) -> int:
        spent_before = self._clock.now() - timedelta(days=self._settings.attempt_retention_days)
        bounds = {"before": first_id(RESPONSE, spent_before), "limit": limit}
        async with reading(self._engine) as connection:
            found = (await connection.execute(_SPENT, bounds)).scalars().all()
        return await self._delete_of(attempt.name, [*found])

    async def _delete_of(self, table: str, ids: list[str]) -> int:
        if not ids:
            return 0
        for batch_id in ids if table == batch.name else ():
            await self._batch_lines.forget(batch_id)
        async with transaction(self._engine) as connection:
            if table == message.name:
                await self._tombstones.clear_beside(connection, ids)
            deleted = await connection.execute(self._delete[table], self._ids.parameters(ids))
            return deleted.rowcount


_LIMIT: Final = bindparam("limit", type_=Integer)


def _by_age(at: Column[Any]) -> Select[Any]:
    columns = at.table.c
    return (
        select(columns.id, columns.tenant_id, at.label("at"))
        .where(at >= bindparam("place"), at < bindparam("before"))
        .order_by(at)
        .limit(_LIMIT)
    )


_BY_AGE: Final = {
    message.name: _by_age(message.c.finished_at).where(
        message.c.state.in_(TERMINAL), ~IN_OPEN_BATCH
    ),
    # What its lines were is older than it, or was kept for it and goes with it.
    batch.name: _by_age(batch.c.expires_at).where(batch.c.state.in_(ENDED_BATCHES)),
    dead_letter.name: _by_age(dead_letter.c.created_at),
    # It goes with its message, as long as that is there; a version before left it behind.
    handoff.name: _by_age(handoff.c.created_at).where(
        handoff.c.state != HandoffState.OPEN,
        ~exists().where(message.c.id == handoff.c.message_id),
    ),
    # Its comment went with its message; what was said late outlives it by as long as it was late.
    feedback.name: _by_age(feedback.c.given_at),
}
# By their message's id, which sorts by time: it needs no index of its own.
_SPENT: Final = (
    select(attempt.c.message_id)
    .distinct()
    .where(attempt.c.message_id < bindparam("before"))
    .order_by(attempt.c.message_id)
    .limit(_LIMIT)
)
_OWN_TIMES: Final = select(tenant.c.id, tenant.c.retention_days).where(
    tenant.c.retention_days.is_not(None)
)
