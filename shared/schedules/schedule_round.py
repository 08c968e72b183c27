"""The round of schedules: what has come is begun, once."""

from __future__ import annotations

from typing import Final

from shared.batches.batch import NewBatch
from shared.batches.catalogue import BatchCatalogue
from shared.batches.state import BatchEndpoint
from shared.clock import Clock
from shared.errors import ForebayError, NotFound, Unavailable
from shared.files.file_catalogue import FileCatalogue
from shared.index.jobs.index_jobs import IndexJobs
from shared.persistence.engine import Database
from shared.schedules.schedule import Schedule, ScheduleRun
from shared.schedules.schedules import Schedules
from shared.schedules.tables import ScheduledKind
from shared.telemetry.logs import get_logger

_RUN_NOTE: Final = "schedule_run"
_LOOKED_AT: Final = 100
"""The tenant's newest batches: among them is one that was begun before a worker died."""


class ScheduleRound:
    """Raises Unavailable: what was not begun is tried again, in a while.

    Who dies between beginning a job and noting it is followed by somebody who finds that job: an
    index job that nobody began is the same one, and a batch carries the time it was begun for.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self.schedules = Schedules(database, clock)
        self._jobs = IndexJobs(database, clock)
        self._files = FileCatalogue(database, clock)
        self._batches = BatchCatalogue(database, clock)
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        await self.schedules.come()
        for what, run in await self.schedules.take():
            await self._begin(what, run)

    async def _begin(self, what: Schedule, run: ScheduleRun) -> None:
        about = {"schedule": what.id, "due_at": run.due_at.isoformat()}
        try:
            result_id = await self.begin(what, run)
        except Unavailable:
            raise
        except ForebayError as error:
            await self.schedules.note(run, error=error.message)
            self._log.warning("schedule_begins_nothing", **about, reason=error.message)
        else:
            await self.schedules.note(run, result_id=result_id)
            self._log.info("schedule_began", **about, began=result_id, late=run.late_seconds)

    async def begin(self, what: Schedule, run: ScheduleRun) -> str:
        """Begin its job; the id. Raises NotFound where what it is about is gone."""
        job = what.job
        if what.kind is ScheduledKind.INDEX:
            made = await self._jobs.create(
                what.tenant_id, job.collection_id or "", job.source or ""
            )
            return made.id
        return await self._batch(what, run)

    async def _batch(self, what: Schedule, run: ScheduleRun) -> str:
        note = f"{what.id}/{run.due_at.isoformat()}"
        for each in await self._batches.list(what.tenant_id, limit=_LOOKED_AT):
            if (each.notes or {}).get(_RUN_NOTE) == note:
                return each.id
        file = await self._files.find(what.job.file_id or "", tenant_id=what.tenant_id)
        if file is None:
            raise NotFound(f"The file '{what.job.file_id}' is gone: upload it, and add another.")
        new = NewBatch(
            tenant_id=what.tenant_id,
            endpoint=BatchEndpoint(what.job.endpoint or ""),
            content_id=file.content_id,
            input_bytes=file.bytes,
            input_file_id=file.id,
            window_seconds=what.job.window_seconds or 86_400,
            notes={_RUN_NOTE: note},
        )
        return (await self._batches.create(new)).id
