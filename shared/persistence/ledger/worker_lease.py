"""A worker's lease: one row says until when it is believed to live, and so all that it holds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.sql import ClauseElement

from shared.clock import Clock
from shared.messages.lane import Lane
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.message_conditions import HELD
from shared.persistence.prepared.constant_text import ConstantText
from shared.persistence.statements import transaction, upsert
from shared.persistence.tables import message, worker_lease


class Lease(NamedTuple):
    """A message that a worker holds, under the attempt it holds it by."""

    message_id: str
    attempt: int


class WorkerOffer(NamedTuple):
    """What a worker can hold at once, and the lanes whose queues it reads."""

    concurrency: int
    lanes: Sequence[Lane]


class WorkerLease:
    """This worker's word that it lives, and what it holds by it; raises LedgerUnavailable.

    Relaxed commits: what a database crash forgets costs a repeated call at most.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        worker: str,
        lease_seconds: float,
        offer: WorkerOffer | None = None,
    ) -> None:
        self._engine = database.relaxed
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._extended_at: datetime | None = None
        self._unheld_since: dict[Lease, datetime] = {}
        self._roads, dialect = database.roads, database.relaxed.dialect
        begin, extend = _leasing(worker, offer, sqlite_dialect=database.is_sqlite)
        self._begin, self._extend = ConstantText(begin, dialect), ConstantText(extend, dialect)
        held = select(message.c.id, message.c.attempt).where(
            text(HELD), message.c.claimed_by == worker
        )
        self._held = ConstantText(held, dialect)

    async def extend(self) -> None:
        """The worker lives: another lease from now on, for all that it holds."""
        now = self._clock.now()
        until = {"until": now + self._lease}
        # An upsert locks the row first, and writes that down too.
        for step in (self._extend, self._begin):
            if await self._roads.relaxed.rows(step.text, step.values(until)):
                break
        self._extended_at = now

    async def extend_in_time(self) -> None:
        """The same where half of the lease has passed: nothing is claimed under one that ended."""
        extended_at, now = self._extended_at, self._clock.now()
        if extended_at is None or now - extended_at >= self._lease / 2:
            await self.extend()

    async def held(self) -> set[Lease]:
        """What the ledger believes that this worker holds."""
        rows = await self._roads.reading.rows(self._held.text, self._held.values({}))
        return {Lease(message_id, attempt) for message_id, attempt in rows}

    async def let_go(self, unknown: Collection[Lease]) -> None:
        """Let sweeps take what this worker has known nothing of for as long as a lease lasts.

        It holds that by the ledger alone: the answer to a claim, or to a release, was lost.
        """
        now = self._clock.now()
        self._unheld_since = {each: self._unheld_since.get(each, now) for each in unknown}
        rows = [
            {"b_id": each.message_id, "b_attempt": each.attempt, "b_now": now}
            for each, since in self._unheld_since.items()
            if now - since >= self._lease
        ]
        if rows:
            async with transaction(self._engine) as connection:
                await connection.execute(_LET_GO, rows)


def _leasing(
    worker: str, offer: WorkerOffer | None, *, sqlite_dialect: bool
) -> tuple[ClauseElement, ClauseElement]:
    """The first lease of a worker, and each further one; they give a row where they were given."""
    until: Any = bindparam("until")
    insert = upsert(worker_lease, sqlite_dialect=sqlite_dialect)
    told = {"concurrency": offer.concurrency, "lanes": " ".join(offer.lanes)} if offer else {}
    begin = insert.values(worker=worker, lease_until=until, **told).on_conflict_do_update(
        index_elements=[worker_lease.c.worker], set_={"lease_until": until}
    )
    extend = update(worker_lease).where(worker_lease.c.worker == worker).values(lease_until=until)
    return begin.returning(worker_lease.c.worker), extend.returning(worker_lease.c.worker)


_LET_GO: Final = (
    update(message)
    .where(
        message.c.id == bindparam("b_id"),
        message.c.attempt == bindparam("b_attempt"),
        message.c.state == ResponseState.IN_PROGRESS,
        message.c.lease_until.is_(None),
    )
    .values(lease_until=bindparam("b_now"))
)
