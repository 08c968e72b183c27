"""Who scans a source, and what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select, text, update

from shared.clock import Clock
from shared.index.job_tables import TO_SCAN, index_job
from shared.index.jobs.index_jobs import job_of
from shared.index.jobs.job import IndexJob, ScanOutcome
from shared.index.states import JobState
from shared.index.tables import collection_source
from shared.persistence.engine import Database
from shared.persistence.statements import skipping_locked, transaction, upsert

_LOOK_AGAIN: Final = timedelta(seconds=1)


class Scans:
    """Gives each job to one scanner at a time, and of each source the oldest job alone; what a
    scanner writes is fenced by its attempt. Everything raises LedgerUnavailable.
    """

    def __init__(
        self, database: Database, clock: Clock, *, lease_seconds: float, attempt_limit: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._attempt_limit = attempt_limit
        put = upsert(collection_source, sqlite_dialect=database.is_sqlite)
        self._held_back = put.on_conflict_do_update(
            index_elements=collection_source.primary_key,
            set_={"missing_digest": put.excluded.missing_digest},
        )

    async def claim(self, worker: str, *, tenant_id: str) -> IndexJob | None:
        """The tenant's job that waits longest for its scan, for a lease; a scan may begin again.

        One that was begun `attempt_limit` times fails and is not given out, and another is looked
        for.
        """
        while (job := await self._take(worker, tenant_id)) is not None:
            if job.attempt <= self._attempt_limit:
                return job
            reason = f"Nobody who scanned it came to an end, {self._attempt_limit} times."
            await self.fail(job, reason)
        return None

    async def _take(self, worker: str, tenant_id: str) -> IndexJob | None:
        now = self._clock.now()
        values = {"now": now, "b_now": now, "b_worker": worker, "b_until": now + self._lease}
        values["tenant"] = tenant_id
        async with transaction(self._database.relaxed) as connection:
            row = (await connection.execute(_CLAIM, values)).one_or_none()
        return None if row is None else job_of(row)

    async def renew(self, job: IndexJob) -> bool:
        """Begin its lease anew; False where it is lost, or the job was cancelled."""
        return await self._write(job, {"due_at": self._clock.now() + self._lease}, durable=False)

    async def tell(self, job: IndexJob, *, found: int, changed: int, skipped: int) -> bool:
        """Say how far the scan is; False where it is lost, or the job was cancelled."""
        counted = {"found": found, "changed": changed, "skipped": skipped}
        return await self._write(job, counted, durable=False)

    async def scanned(self, job: IndexJob, outcome: ScanOutcome) -> bool:
        """The listing is whole, and what is missing in it is removed or held back."""
        said = {name: getattr(outcome, name) for name in _OUTCOME}
        now = self._clock.now()
        over = {"state": JobState.INDEXING, "scanned_at": now, "due_at": now, "claimed_by": None}
        source = source_key(job) | {"missing_digest": outcome.missing_digest}
        async with transaction(self._database.durable) as connection:
            done = await connection.execute(_HELD.values(said | over), _fence(job))
            if done.rowcount:
                await connection.execute(self._held_back, source)
        return done.rowcount > 0

    async def fail(self, job: IndexJob, error: str) -> bool:
        """The source cannot be scanned; nothing of it is removed."""
        now = self._clock.now()
        over = {"state": JobState.FAILED, "error": error, "finished_at": now, "due_at": None}
        return await self._write(job, over | {"claimed_by": None}, durable=True)

    async def give_back(self, job: IndexJob) -> None:
        """Let go of it at once, for another to begin."""
        over = {"state": JobState.QUEUED, "due_at": self._clock.now(), "claimed_by": None}
        await self._write(job, over, durable=False)

    async def _write(self, job: IndexJob, values: dict[str, Any], *, durable: bool) -> bool:
        engine = self._database.durable if durable else self._database.relaxed
        async with transaction(engine) as connection:
            written = await connection.execute(_HELD.values(values), _fence(job))
        return written.rowcount > 0


def source_key(job: IndexJob) -> dict[str, Any]:
    """The columns of the row of its source."""
    return {
        "collection_id": job.collection_id,
        "source": job.source,
        "tenant_id": job.tenant_id,
    }


def _fence(job: IndexJob) -> dict[str, Any]:
    return {"b_id": job.id, "b_attempt": job.attempt}


_OUTCOME: Final = tuple(name for name in ScanOutcome.__struct_fields__ if name != "missing_digest")
_HELD: Final = update(index_job).where(
    index_job.c.id == bindparam("b_id"),
    index_job.c.attempt == bindparam("b_attempt"),
    index_job.c.state == JobState.SCANNING,
)
# Looked up one by one: an EXISTS may be made a join that reads all there is.
_EARLIER: Final = index_job.alias("earlier")
_FIRST_OF_SOURCE: Final = (
    select(_EARLIER.c.id)
    .where(
        text(TO_SCAN.replace("state", "earlier.state")),
        _EARLIER.c.collection_id == index_job.c.collection_id,
        _EARLIER.c.source == index_job.c.source,
    )
    .order_by(_EARLIER.c.id)
    .limit(1)
    .scalar_subquery()
)
_DUE: Final = skipping_locked(
    select(index_job.c.id)
    .where(
        text(TO_SCAN.replace("state", "index_job.state")),
        index_job.c.tenant_id == bindparam("tenant"),
        index_job.c.due_at <= bindparam("now"),
        index_job.c.id == _FIRST_OF_SOURCE,
    )
    .order_by(index_job.c.due_at)
    .limit(1)
).cte("due")
_CLAIM: Final = (
    update(index_job)
    .where(index_job.c.id == _DUE.c.id)
    .values(
        state=JobState.SCANNING,
        attempt=index_job.c.attempt + 1,
        started_at=bindparam("b_now"),
        claimed_by=bindparam("b_worker"),
        due_at=bindparam("b_until"),
    )
    .returning(*index_job.c)
)
