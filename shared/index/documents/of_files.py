"""What a file is in collections, for who deletes the file or finds that its time is over."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from sqlalchemy import bindparam, select

from shared.clock import Clock
from shared.errors import NotFound
from shared.index.documents.changing import DocumentChanges
from shared.index.states import DocumentState
from shared.index.tables import document
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class FileDocuments:
    """The documents of files; everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._changes = DocumentChanges(database, clock)

    async def remove(self, tenant_id: str, file_id: str) -> int:
        """Take a tenant's file out of all collections, and say of how many; it may be repeated."""
        wanted = {"tenant": tenant_id, "file": file_id}
        async with reading(self._database.relaxed) as connection:
            collections = (await connection.scalars(_COLLECTIONS, wanted)).all()
        for collection_id in collections:
            with suppress(NotFound):  # it is deleted, and its documents go with it
                await self._changes.remove(tenant_id, collection_id, [file_id])
        return len(collections)


_COLLECTIONS: Final = select(document.c.collection_id).where(
    document.c.file_id == bindparam("file"),
    document.c.tenant_id == bindparam("tenant"),
    document.c.state != DocumentState.REMOVING,
)
