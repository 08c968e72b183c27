"""The files that a batch leaves, written from the ledger a piece at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.batches.batch import Batch, BatchCounts, BatchUsage
from shared.batches.items import BatchItems
from shared.batches.result_lines import ResultKind, result_lines
from shared.batches.state import BatchState, BatchSurface
from shared.batches.work import BatchWork
from shared.clock import Clock
from shared.files.content_store import ContentStore
from shared.files.drafts import ContentDrafts
from shared.files.stored_file import FileLabel, FilePurpose
from shared.files.upload import Upload, Uploads
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.settings.files import FileSettings

_NO_LIMIT: Final = FileSettings(limit_bytes=2**62, tenant_limit_bytes=2**62)
"""What was answered and paid for is kept, however full its tenant's files are."""
_COLUMNS: Final = {ResultKind.OUTPUT: "output_file_id", ResultKind.ERRORS: "error_file_id"}
_MESSAGES_LIFE: Final = timedelta(days=29)
"""Anthropic's, for results of which nobody said how long they are wanted."""


class _EndedBefore(Exception):
    """Somebody else has ended the batch meanwhile: nothing of this end is kept."""


class ResultFiles:
    """Ends batches; raises Unavailable."""

    def __init__(
        self,
        database: Database,
        store: ContentStore,
        work: BatchWork,
        items: BatchItems,
        clock: Clock,
    ) -> None:
        drafts = ContentDrafts(database, _NO_LIMIT, clock)
        self._uploads = Uploads(drafts, store, _NO_LIMIT, clock)
        self._database = database
        self._work = work
        self._items = items

    async def end(
        self, of: Batch, target: BatchState, counts: BatchCounts, usage: BatchUsage
    ) -> bool:
        """Write its files and end it, all or nothing; False where it was ended before.

        What was written for nothing has no name, and goes with a sweep of files.
        """
        written = {kind: await self._written(of, kind) for kind in ResultKind}
        try:
            async with transaction(self._database.durable) as connection:
                moved = await connection.run_sync(
                    self._work.move_now, of, target, counts=counts, usage=usage
                )
                if not moved:
                    raise _EndedBefore
                named = {
                    _COLUMNS[kind]: (await upload.name(connection, _label(of, kind))).id
                    for kind, upload in written.items()
                    if upload.size
                }
                await connection.run_sync(self._work.note_files, of, named)
        except _EndedBefore:
            return False
        return True

    async def _written(self, of: Batch, kind: ResultKind) -> Upload:
        upload = await self._uploads.begin(of.tenant_id)
        async for piece in result_lines(of, self._items, kind):
            await upload.write(piece)
        await upload.flush()
        return upload


def _label(of: Batch, kind: ResultKind) -> FileLabel:
    life = None
    if of.output_expires_after is not None:
        life = timedelta(seconds=of.output_expires_after)
    elif of.surface is BatchSurface.ANTHROPIC:
        life = _MESSAGES_LIFE
    return FileLabel(f"{of.id}_{kind}.jsonl", FilePurpose.BATCH_OUTPUT, life)
