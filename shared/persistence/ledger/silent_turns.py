"""Turns whose worker fell silent, found without reading those of the workers that live."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Dialect, Integer, Row, Select, bindparam, delete, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.message_conditions import HELD, for_sweep
from shared.persistence.statements import skipping_locked
from shared.persistence.tables import message, worker_lease


class SilentTurns:
    """What is held by workers without a lease, and by leases of its own that have run out.

    A message has a lease of its own where its worker let go of it, or is of the version before.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._workers = IdList(dialect)
        self._held_by = skipping_locked(
            _TURN.where(text(HELD), self._workers.holds(message.c.claimed_by)).limit(_LIMIT)
        )

    async def take(
        self, connection: AsyncConnection, *, now: datetime, limit: int
    ) -> list[Row[Any]]:
        """Up to `limit` of each kind, as (id, tenant_id, attempt), locked for this transaction."""
        bounds = {"now": now, "limit": limit}
        found = [*await connection.execute(_RUN_OUT, bounds)]
        workers = (await connection.execute(_SILENT_WORKERS, {"now": now})).scalars().all()
        if workers:
            held = self._workers.parameters(workers) | {"limit": limit}
            found += await connection.execute(self._held_by, held)
        await connection.execute(_FORGET_LEASES, {"now": now})
        return found


_NOW: Final[Any] = bindparam("now")
_LIMIT: Final = bindparam("limit", type_=Integer)
_TURN: Final = select(message.c.id, message.c.tenant_id, message.c.attempt)
_RUN_OUT: Final = skipping_locked(
    _TURN.where(text(for_sweep(ResponseState.IN_PROGRESS, "leased")), message.c.lease_until < _NOW)
    .order_by(message.c.lease_until)
    .limit(_LIMIT)
)
_FORGET_LEASES: Final = delete(worker_lease).where(worker_lease.c.lease_until < _NOW)


def _next_holder(*after: Any) -> Any:
    return (
        select(message.c.claimed_by)
        .where(text(HELD), *after)
        .order_by(message.c.claimed_by)
        .limit(1)
        .scalar_subquery()
    )


def _silent_workers() -> Select[Any]:
    # From each worker that holds anything on to the next, so that what one holds is not read. It
    # begins with the messages: one whose worker has no lease at all is found as well.
    first = select(_next_holder().label("worker")).cte("holder", recursive=True)
    after = _next_holder(message.c.claimed_by > first.c.worker)
    holder = first.union_all(select(after).where(first.c.worker.is_not(None)))
    lives = exists().where(
        worker_lease.c.worker == holder.c.worker, worker_lease.c.lease_until >= _NOW
    )
    return select(holder.c.worker).where(holder.c.worker.is_not(None), ~lives)


_SILENT_WORKERS: Final = _silent_workers()
