"""Which tenants have something waiting for an indexer."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Select, Table, bindparam, select, text

from shared.clock import Clock
from shared.index.job_tables import TO_SCAN, index_job
from shared.index.tables import WAITING, document
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import tenant


class WaitingTenants:
    """Those with something that may be claimed now, and their weights; raises LedgerUnavailable.

    Each costs a look at an index, however much it has waiting.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def with_documents(self) -> dict[str, float]:
        """Those that have documents to be indexed."""
        return await self._read(_WITH_DOCUMENTS)

    async def with_jobs(self) -> dict[str, float]:
        """Those that have jobs to be scanned."""
        return await self._read(_WITH_JOBS)

    async def oldest_documents(self) -> dict[str, datetime]:
        """When what each of these has waiting longest was there to be indexed."""
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_WITH_DOCUMENTS, {"now": self._clock.now()})
            return {row.id: row.due_at for row in rows}

    async def _read(self, tenants: Select[Any]) -> dict[str, float]:
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(tenants, {"now": self._clock.now()})
            return {row.id: _weight(row.plan) for row in rows}


class _OfPlan(msgspec.Struct):
    weight: float = 1.0


_decode: Final = msgspec.json.Decoder(_OfPlan).decode


def _weight(plan: str | None) -> float:
    """A plan that cannot be read is its operator's to mend: it holds nobody up."""
    try:
        return 1.0 if plan is None else _decode(plan).weight
    except msgspec.MsgspecError:
        return 1.0


def _tenants(table: Table, waits: str) -> Select[Any]:
    """Steps from one tenant to the next in an index of (tenant_id, due_at)."""
    of: ColumnElement[str] = table.c.tenant_id
    first = select(of).where(text(waits)).order_by(of).limit(1)
    walk = select(first.scalar_subquery().label("id")).cte("walk", recursive=True)
    following = first.where(of > walk.c.id).scalar_subquery()
    walk = walk.union_all(select(following).where(walk.c.id.is_not(None)))
    earliest = select(table.c.due_at).where(text(waits), of == walk.c.id)
    due_at = earliest.order_by(table.c.due_at).limit(1).scalar_subquery()
    return (
        select(walk.c.id, tenant.c.plan, due_at.label("due_at"))
        .select_from(walk.outerjoin(tenant, tenant.c.id == walk.c.id))
        .where(walk.c.id.is_not(None), due_at <= bindparam("now"))
    )


_WITH_DOCUMENTS: Final = _tenants(document, WAITING)
_WITH_JOBS: Final = _tenants(index_job, TO_SCAN)
