"""What callers do with jobs: ask for one, look how far it is, cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, Row, bindparam, func, insert, select, text, update

from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.identifiers import INDEX_JOB, new_id
from shared.index.collections.rows import held
from shared.index.job_tables import TO_SCAN, index_job
from shared.index.jobs.job import IndexJob, JobProgress
from shared.index.states import DocumentState, JobState
from shared.index.tables import document
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

_CANCELLED_AT_ONCE: Final = 500
UNFINISHED: Final = (JobState.QUEUED, JobState.SCANNING, JobState.INDEXING)
_PROGRESS: Final = {
    DocumentState.PENDING: "waiting",
    DocumentState.IN_PROGRESS: "waiting",
    DocumentState.COMPLETED: "completed",
    DocumentState.FAILED: "failed",
    DocumentState.SKIPPED: "skipped",
    DocumentState.CANCELLED: "cancelled",
}


class IndexJobs:
    """A tenant's jobs; another's do not exist. Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(
        self, tenant_id: str, collection_id: str, source: str, *, remove_anyway: bool = False
    ) -> IndexJob:
        """Have a source scanned and indexed; one of the same kind that nobody began is the same.

        With `remove_anyway` nothing that is missing is held back. Raises NotFound.
        """
        now = self._clock.now()
        made = IndexJob(
            id=new_id(INDEX_JOB),
            tenant_id=tenant_id,
            collection_id=collection_id,
            source=source,
            state=JobState.QUEUED,
            created_at=now,
            remove_anyway=remove_anyway,
            due_at=now,
        )
        wanted = {"collection": collection_id, "source": source, "anyway": remove_anyway}
        async with transaction(self._database.durable) as connection:
            await held(connection, tenant_id, collection_id)
            row = (await connection.execute(_QUEUED, wanted)).first()
            if row is not None:
                return job_of(row)
            await connection.execute(insert(index_job), msgspec.structs.asdict(made))
        return made

    async def find(self, tenant_id: str, job_id: str) -> IndexJob:
        """The job; raises NotFound."""
        wanted = {"tenant": tenant_id, "id": job_id}
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_FIND, wanted)).one_or_none()
        if row is None:
            raise NotFound(f"There is no index job '{job_id[:128]}'.", param="job_id")
        return job_of(row)

    async def list(
        self,
        tenant_id: str,
        *,
        collection_id: str | None = None,
        after: str | None = None,
        limit: int,
    ) -> list[IndexJob]:
        """The newest first, from behind the id `after`."""
        query = _OF_TENANT.order_by(index_job.c.id.desc()).limit(limit)
        if collection_id is not None:
            query = query.where(index_job.c.collection_id == collection_id)
        if after is not None:
            query = query.where(index_job.c.id < after)
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(query, {"tenant": tenant_id})
            return [job_of(row) for row in rows]

    async def progress(self, tenant_id: str, job_ids: Sequence[str]) -> dict[str, JobProgress]:
        """How far the documents of each are; it reads an entry of an index for each of them."""
        found: dict[str, JobProgress] = {}
        async with reading(self._database.relaxed) as connection:
            for job_id in job_ids:
                wanted = {"job": job_id, "tenant": tenant_id}
                counted: dict[str, int] = {}
                for state, number in await connection.execute(_BY_STATE, wanted):
                    if (name := _PROGRESS.get(state)) is not None:
                        counted[name] = counted.get(name, 0) + number
                found[job_id] = JobProgress(**counted)
        return found

    async def cancel(self, tenant_id: str, job_id: str) -> IndexJob:
        """Nothing is begun for it any more: what waits for it is cancelled, what is
        being indexed is finished. What was indexed before stays found. Raises NotFound, and
        Conflict where it has ended.
        """
        job = await self.find(tenant_id, job_id)
        if job.state not in (*UNFINISHED, JobState.CANCELLED):
            raise Conflict(f"The index job has {job.state} already: nothing is left to cancel.")
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            await connection.execute(_CANCEL, {"b_id": job_id, "b_now": now})
        cancelled = _CANCELLED_AT_ONCE
        while cancelled == _CANCELLED_AT_ONCE:
            async with transaction(self._database.durable) as connection:
                bounds = {"job": job_id, "limit": _CANCELLED_AT_ONCE}
                cancelled = len((await connection.execute(_CANCEL_DOCUMENTS, bounds)).all())
        return await self.find(tenant_id, job_id)


def job_of(row: Row[Any]) -> IndexJob:
    """The job of a row that has all columns of the table."""
    return IndexJob(**row._mapping)


_LIMIT: Final = bindparam("limit", type_=Integer)
_OF_TENANT: Final = select(index_job).where(index_job.c.tenant_id == bindparam("tenant"))
_FIND: Final = _OF_TENANT.where(index_job.c.id == bindparam("id"))
_QUEUED: Final = (
    select(index_job)
    .where(
        text(TO_SCAN),
        index_job.c.collection_id == bindparam("collection"),
        index_job.c.source == bindparam("source"),
        index_job.c.state == JobState.QUEUED,
        index_job.c.remove_anyway == bindparam("anyway"),
    )
    .order_by(index_job.c.id)
    .limit(1)
)
_BY_STATE: Final = (
    select(document.c.state, func.count())
    .where(document.c.job_id == bindparam("job"), document.c.tenant_id == bindparam("tenant"))
    .group_by(document.c.state)
)
_CANCEL: Final = (
    update(index_job)
    .where(index_job.c.id == bindparam("b_id"), index_job.c.state.in_(UNFINISHED))
    .values(
        state=JobState.CANCELLED,
        cancelled_at=bindparam("b_now"),
        finished_at=bindparam("b_now"),
        claimed_by=None,
        due_at=None,
    )
)
# One that waits for the end of somebody's lease is left: its next claim has to wait as well.
_WAITING: Final = (
    select(document.c.collection_id, document.c.id)
    .where(
        document.c.job_id == bindparam("job"),
        document.c.state == DocumentState.PENDING,
        document.c.claimed_by.is_(None),
    )
    .limit(_LIMIT)
    .cte("waiting")
)
_CANCEL_DOCUMENTS: Final = (
    update(document)
    .where(document.c.collection_id == _WAITING.c.collection_id, document.c.id == _WAITING.c.id)
    .where(document.c.state == DocumentState.PENDING)
    .values(state=DocumentState.CANCELLED, due_at=None)
    # SQLite's driver counts no rows of a statement that begins with WITH.
    .returning(document.c.id)
)
