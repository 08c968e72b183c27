"""An upload: bytes on their way into content, held in memory for one chunk at most."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.errors import TooLarge
from shared.files.content_store import CHUNK_BYTES, ContentStore
from shared.files.drafts import UNTOUCHED, ContentDraft, ContentDrafts, no_room
from shared.files.stored_file import FileLabel, StoredFile
from shared.settings.files import FileSettings

_KEPT_EVERY_SECONDS = (UNTOUCHED / 10) / timedelta(seconds=1)


class Uploads:
    """Begins uploads; raises what ContentDrafts and ContentStore raise."""

    def __init__(
        self, drafts: ContentDrafts, store: ContentStore, settings: FileSettings, clock: Clock
    ) -> None:
        self._drafts = drafts
        self._store = store
        self._settings = settings
        self._clock = clock

    @property
    def limit_bytes(self) -> int:
        """The size of the largest file."""
        return self._settings.limit_bytes

    async def begin(self, tenant_id: str) -> Upload:
        """A new one; raises TooLarge where the tenant has no room left."""
        draft = await self._drafts.begin(tenant_id)
        return Upload(draft, self._drafts, self._store, self._settings, self._clock)


class Upload:
    """One file as it comes. Its content has no name, and goes by itself, until `finish`."""

    def __init__(
        self,
        draft: ContentDraft,
        drafts: ContentDrafts,
        store: ContentStore,
        settings: FileSettings,
        clock: Clock,
    ) -> None:
        self._draft = draft
        self._drafts = drafts
        self._store = store
        self._settings = settings
        self._clock = clock
        self._digest = sha256()
        self._waiting = bytearray()
        self._chunks = 0
        self._kept_at = clock.monotonic()
        self.size = 0

    async def write(self, piece: bytes) -> None:
        """Take the next bytes; raises TooLarge above the limit of a file or of its tenant."""
        self.size += len(piece)
        if self.size > self._settings.limit_bytes:
            raise too_large(self._settings.limit_bytes)
        if self.size > self._draft.room_bytes:
            raise no_room(self._settings.tenant_limit_bytes)
        self._digest.update(piece)
        self._waiting += piece
        while len(self._waiting) >= CHUNK_BYTES:
            await self._write_chunk(bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]

    async def finish(self, label: FileLabel) -> StoredFile:
        """The file under its name, on disk."""
        digest = await self.flush()
        return await self._drafts.finish(self._draft, label, digest=digest, size=self.size)

    async def flush(self) -> str:
        """Write what was taken and not yet written: the content is whole. Its digest."""
        if self._waiting:
            await self._write_chunk(bytes(self._waiting))
            self._waiting.clear()
        return self._digest.hexdigest()

    async def name(self, connection: AsyncConnection, label: FileLabel) -> StoredFile:
        """As `finish`, of content that was flushed, within its caller's durable transaction."""
        digest = self._digest.hexdigest()
        naming = self._drafts.name(connection, self._draft, label, digest=digest, size=self.size)
        return await naming

    async def abandon(self) -> None:
        """It will not be finished: what was written of it goes with the next sweep."""
        await self._drafts.abandon(self._draft)

    async def _write_chunk(self, chunk: bytes) -> None:
        now = self._clock.monotonic()
        if now - self._kept_at > _KEPT_EVERY_SECONDS:
            await self._drafts.keep(self._draft)
            self._kept_at = now
        await self._store.write(self._draft.id, self._chunks, chunk)
        self._chunks += 1


def too_large(limit_bytes: int) -> TooLarge:
    """A file above the limit of one."""
    return TooLarge(
        f"The file is larger than {limit_bytes} bytes. Send a smaller one.",
        param="file",
        kind="file_too_large",
    )
