"""Whether anybody answers: the workers that live, the lanes they read, and who dispatches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import bindparam, select

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import role_lease, worker_lease
from shared.status.system_state import StateFinding, degraded, down

DISPATCHER: Final = "dispatcher"
"""The role of the worker that leads the dispatch."""


class WorkersAlive:
    """Reads the leases that workers renew; raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def findings(self) -> list[StateFinding]:
        now = {"now": self._clock.now()}
        async with reading(self._database.relaxed) as connection:
            told = [row.lanes for row in await connection.execute(_ALIVE, now)]
            leads = (await connection.execute(_LEADER, now)).first() is not None
        return list(_of(told, leads=leads))

    async def number(self) -> int:
        """How many workers are believed to live."""
        async with reading(self._database.relaxed) as connection:
            return len((await connection.execute(_ALIVE, {"now": self._clock.now()})).all())


def _of(told: list[str | None], *, leads: bool) -> Iterator[StateFinding]:
    if not told:
        yield down(
            "workers",
            "No worker is alive: what is accepted waits. Start one: forebay worker",
        )
        return
    # A worker that did not say which lanes it reads is of an older version, and reads all.
    read = {lane for lanes in told for lane in (list(Lane) if lanes is None else lanes.split())}
    for lane in Lane:
        if lane not in read:
            yield degraded(
                f"lane {lane}",
                f"No worker that is alive reads the lane {lane}: its messages wait. Start one: "
                f"forebay worker --lane {lane}",
            )
    if not leads:
        yield degraded(
            "dispatcher",
            "No worker leads the dispatch: tenants have no shares until one does, within seconds.",
        )


_ALIVE: Final = select(worker_lease.c.lanes).where(worker_lease.c.lease_until > bindparam("now"))
_LEADER: Final = select(role_lease.c.holder).where(
    role_lease.c.role == DISPATCHER, role_lease.c.lease_until > bindparam("now")
)
