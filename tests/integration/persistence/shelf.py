"""Everything of files on one database, with small limits."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from shared.clock import ManualClock
from shared.files.content_store import CHUNK_BYTES
from shared.files.database_content import DatabaseContent
from shared.files.drafts import UNTOUCHED, ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.file_sweeps import FileSweeps
from shared.files.stored_file import FileLabel, FilePurpose, StoredFile
from shared.files.tables import content, content_chunk, stored_file, tenant_storage
from shared.files.upload import Upload, Uploads
from shared.index.documents.of_files import FileDocuments
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.settings.files import FileSettings

LABEL = FileLabel("a.bin", FilePurpose.USER_DATA)
LONG = UNTOUCHED.total_seconds() + 120
LIMIT = 4 * CHUNK_BYTES
QUOTA = 6 * CHUNK_BYTES


@dataclass
class Shelf:
    """Everything of files on one database."""

    uploads: Uploads
    catalogue: FileCatalogue
    sweeps: FileSweeps
    store: DatabaseContent
    database: Database

    async def keep(
        self, body: bytes, *, tenant: str = "ten_1", label: FileLabel = LABEL
    ) -> StoredFile:
        """A file with this content."""
        upload = await self.begin(body, tenant=tenant)
        return await upload.finish(label)

    async def begin(self, body: bytes, *, tenant: str = "ten_1") -> Upload:
        """An upload that has come so far, in pieces of an odd size."""
        upload = await self.uploads.begin(tenant)
        for start in range(0, len(body), 100_003):
            await upload.write(body[start : start + 100_003])
        return upload

    async def read(self, file: StoredFile) -> bytes:
        chunks, ordinal = b"", 0
        while chunk := await self.store.read(file.content_id, ordinal):
            chunks, ordinal = chunks + chunk, ordinal + 1
        return chunks

    async def rows(self) -> dict[str, int]:
        """How many there are of each."""
        async with transaction(self.database.relaxed) as connection:
            return {
                table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
                for table in (stored_file, content, content_chunk)
            }

    async def used(self, tenant: str = "ten_1") -> int:
        """What the ledger counts, which must be what is there."""
        named = select(func.sum(content.c.bytes)).where(
            content.c.tenant_id == tenant, content.c.digest.is_not(None)
        )
        counted = select(tenant_storage.c.bytes).where(tenant_storage.c.tenant_id == tenant)
        async with transaction(self.database.relaxed) as connection:
            there, told = await connection.scalar(named), await connection.scalar(counted)
        assert (there or 0) == (told or 0)
        return int(told or 0)


def shelf_on(database: Database, clock: ManualClock) -> Shelf:
    files, store = (
        FileSettings(limit_bytes=LIMIT, tenant_limit_bytes=QUOTA),
        DatabaseContent(database),
    )
    drafts = ContentDrafts(database, files, clock)
    return Shelf(
        Uploads(drafts, store, files, clock),
        FileCatalogue(database, clock),
        FileSweeps(database, store, clock, take_out=FileDocuments(database, clock).remove),
        store,
        database,
    )


def body(size: int, seed: int = 0) -> bytes:
    return bytes((seed + n * n) % 251 for n in range(997)) * (size // 997) + b"e" * (size % 997)
