"""Roles that one process at a time plays, on either database: a row with a holder and a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, delete, or_

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import transaction, upsert
from shared.persistence.tables import role_lease

_UNBELIEVABLE: Final = 10
"""A lease that lasts longer than so many of ours is from a clock that is wrong."""


class RoleLease:
    """One role, and this process as somebody who may play it; raises LedgerUnavailable.

    It saves work and guards nothing: for a moment after a pause two may believe that they hold it,
    so what they do must be harmless side by side.
    """

    def __init__(
        self, database: Database, clock: Clock, *, role: str, holder: str, lease_seconds: float
    ) -> None:
        self._engine = database.relaxed
        self._clock = clock
        self._role = role
        self._holder = holder
        self._lease = timedelta(seconds=lease_seconds)
        insert = upsert(role_lease, sqlite_dialect=database.is_sqlite).values(
            role=role, holder=holder, lease_until=bindparam("until")
        )
        self._take = insert.on_conflict_do_update(
            index_elements=[role_lease.c.role],
            set_={"holder": holder, "lease_until": bindparam("until")},
            where=or_(
                role_lease.c.holder == holder,
                role_lease.c.lease_until < bindparam("now"),
                role_lease.c.lease_until > bindparam("unbelievable"),
            ),
        ).returning(role_lease.c.holder)

    async def take(self) -> bool:
        """Take the role or keep it; False while another process holds it."""
        now = self._clock.now()
        times = {
            "now": now,
            "until": now + self._lease,
            "unbelievable": now + self._lease * _UNBELIEVABLE,
        }
        async with transaction(self._engine) as connection:
            taken = await connection.scalar(self._take, times)
        return taken is not None

    async def give_back(self) -> None:
        """Let another process have it at once; nothing happens where it is not held."""
        async with transaction(self._engine) as connection:
            await connection.execute(
                delete(role_lease).where(
                    role_lease.c.role == self._role, role_lease.c.holder == self._holder
                )
            )
