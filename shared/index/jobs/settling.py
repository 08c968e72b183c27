"""When what a job found is indexed, and up to what its source is then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Integer, bindparam, delete, select, text, update

from shared.clock import Clock
from shared.identifiers import INDEX_JOB, first_id
from shared.index.documents.rows import WAITING
from shared.index.job_tables import INDEXING, index_job, skipped_file
from shared.index.jobs.index_jobs import job_of
from shared.index.jobs.job import IndexJob, SourceState
from shared.index.jobs.scanning import source_key
from shared.index.states import JobState
from shared.index.tables import collection_source, document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, skipping_locked, transaction, upsert

_LOOK_AGAIN: Final = timedelta(seconds=1)
_KEPT: Final = timedelta(days=30)
"""How long it can be read what became of a job."""


class JobSettling:
    """Ends jobs and counts what was done for them; everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        put = upsert(collection_source, sqlite_dialect=database.is_sqlite)
        through = ("commit_id", "branch", "indexed_through", "listed")
        self._indexed = put.on_conflict_do_update(
            index_elements=collection_source.primary_key,
            set_={name: put.excluded[name] for name in through},
        )
        ids = self._ids = IdList(database.relaxed.dialect)
        self._forget = [
            delete(skipped_file).where(ids.holds(skipped_file.c.job_id)),
            delete(index_job).where(ids.holds(index_job.c.id)),
        ]

    async def count(self, job_id: str, *, embedded: int, reused: int) -> None:
        """Add chunks of a document of this job to its numbers."""
        counted = {"b_id": job_id, "b_embedded": embedded, "b_reused": reused}
        async with transaction(self._database.relaxed) as connection:
            await connection.execute(_COUNT, counted)

    async def settle(self, *, limit: int = 50) -> list[IndexJob]:
        """Complete jobs whose documents all came to an end; those that did so just now.

        Up to what its source is indexed counts from the begin of the scan.
        """
        now = self._clock.now()

        def work(connection: Connection) -> list[IndexJob]:
            rows = connection.execute(_TO_SETTLE, {"now": now, "limit": limit})
            jobs = [job_of(row) for row in rows]
            return [job for job in jobs if self._settle(connection, job, now)]

        # What is forgotten of it is found again: the documents say it.
        return await self._database.commit(work, may_be_forgotten=True)

    def _settle(self, connection: Connection, job: IndexJob, now: datetime) -> bool:
        waits = connection.scalar(_WAITS, {"job": job.id})
        key = {"b_id": job.id}
        if waits:
            connection.execute(_LATER, key | {"b_due": now + _LOOK_AGAIN})
            return False
        connection.execute(_COMPLETE, key | {"b_now": now})
        through = {
            "indexed_through": job.started_at,
            "listed": job.found,
            "commit_id": job.commit_id,
            "branch": job.branch,
        }
        connection.execute(self._indexed, source_key(job) | through)
        return True

    async def source(self, collection_id: str, source: str) -> SourceState:
        """Up to what it is indexed, and what was held back; of one that is new, nothing."""
        wanted = {"collection": collection_id, "source": source}
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_SOURCE, wanted)).one_or_none()
        return SourceState(source=source) if row is None else SourceState(**row._mapping)

    async def forget_old(self, limit: int = 100) -> int:
        """Forget up to `limit` jobs that ended a month ago or were made before; how many."""
        bounds = {"before": first_id(INDEX_JOB, self._clock.now() - _KEPT), "limit": limit}
        async with transaction(self._database.relaxed) as connection:
            old = (await connection.execute(_OLD, bounds)).scalars().all()
            if old:
                for statement in self._forget:
                    await connection.execute(statement, self._ids.parameters(old))
        return len(old)


_LIMIT: Final = bindparam("limit", type_=Integer)
_TO_SETTLE: Final = skipping_locked(
    select(index_job)
    .where(text(INDEXING), index_job.c.due_at <= bindparam("now"))
    .order_by(index_job.c.due_at)
    .limit(_LIMIT)
)
_WAITS: Final = (
    select(document.c.id)
    .where(document.c.job_id == bindparam("job"), document.c.state.in_(WAITING))
    .limit(1)
)
_IS: Final = index_job.c.id == bindparam("b_id")
_LATER: Final = update(index_job).where(_IS).values(due_at=bindparam("b_due"))
_COMPLETE: Final = (
    update(index_job)
    .where(_IS)
    .values(state=JobState.COMPLETED, finished_at=bindparam("b_now"), due_at=None)
)
_COUNT: Final = (
    update(index_job)
    .where(_IS)
    .values(
        embedded=index_job.c.embedded + bindparam("b_embedded"),
        reused=index_job.c.reused + bindparam("b_reused"),
    )
)
_SOURCE: Final = select(
    *(collection_source.c[name] for name in SourceState.__struct_fields__)
).where(
    collection_source.c.collection_id == bindparam("collection"),
    collection_source.c.source == bindparam("source"),
)
_OLD: Final = (
    select(index_job.c.id)
    .where(index_job.c.id < bindparam("before"), index_job.c.due_at.is_(None))
    .order_by(index_job.c.id)
    .limit(_LIMIT)
)
