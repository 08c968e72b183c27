"""What a scan left out, with the reason of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from sqlalchemy import Integer, bindparam, select

from shared.index.job_tables import skipped_file
from shared.index.jobs.job import IndexJob
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction
from shared.storable_text import storable

_GROUP: Final = 500


class SkippedPath(msgspec.Struct, frozen=True):
    """A file or a folder that was left out; `ordinal` counts those of its job."""

    ordinal: int
    path: str
    reason: str
    why: str


class SkippedFiles:
    """They go with their job; everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = insert_new(skipped_file, sqlite_dialect=database.is_sqlite)

    async def add(self, job: IndexJob, skipped: Sequence[SkippedPath]) -> None:
        """Keep them; one of the same ordinal, from a scan that was begun again, stays."""
        said = {"job_id": job.id, "tenant_id": job.tenant_id}
        rows = [
            said
            | {
                "ordinal": each.ordinal,
                "path": storable(each.path),
                "reason": each.reason[:32],
                "why": storable(each.why),
            }
            for each in skipped
        ]
        async with transaction(self._database.relaxed) as connection:
            for first in range(0, len(rows), _GROUP):
                await connection.execute(self._insert, rows[first : first + _GROUP])

    async def list(
        self, tenant_id: str, job_id: str, *, after: int = -1, limit: int
    ) -> list[SkippedPath]:
        """Those of a job in the order of the scan, from behind the ordinal `after`."""
        wanted = {"tenant": tenant_id, "job": job_id, "after": after, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(_LIST, wanted)
            return [SkippedPath(**row._mapping) for row in rows]


_LIST: Final = (
    select(*(skipped_file.c[name] for name in SkippedPath.__struct_fields__))
    .where(
        skipped_file.c.job_id == bindparam("job"),
        skipped_file.c.tenant_id == bindparam("tenant"),
        skipped_file.c.ordinal > bindparam("after"),
    )
    .order_by(skipped_file.c.ordinal)
    .limit(bindparam("limit", type_=Integer))
)
