"""Content that is being uploaded, until a file names it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.errors import Conflict, TooLarge
from shared.files.stored_file import FileLabel, StoredFile
from shared.files.tables import content, stored_file
from shared.files.tenant_storage import TenantStorage
from shared.identifiers import CONTENT, new_file_id, new_id
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.settings.files import FileSettings

UNTOUCHED: Final = timedelta(minutes=10)
"""How long content that nothing names is left alone: somebody may still write or read it."""


@dataclass(frozen=True, slots=True)
class ContentDraft:
    """Content without a name, and how much its tenant has room for."""

    id: str
    tenant_id: str
    room_bytes: int


class ContentDrafts:
    """Makes content and gives it its first name; everything raises LedgerUnavailable.

    A draft of which nothing is heard for `UNTOUCHED` is removed, and so never finished.
    """

    def __init__(self, database: Database, settings: FileSettings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._storage = TenantStorage(database)

    async def begin(self, tenant_id: str) -> ContentDraft:
        """Content to write chunks of; raises TooLarge where the tenant has no room left."""
        content_id = new_id(CONTENT)
        async with transaction(self._database.relaxed) as connection:
            room = self._room(await self._storage.used(connection, tenant_id))
            row = {"id": content_id, "tenant_id": tenant_id, "bytes": 0}
            until = self._clock.now() + UNTOUCHED
            await connection.execute(BEGIN_DRAFT, row | {"removable_at": until})
        return ContentDraft(content_id, tenant_id, room)

    async def keep(self, draft: ContentDraft) -> None:
        """It is still being written; raises Conflict where it stood still for too long."""
        if not await self._touch(draft, self._clock.now() + UNTOUCHED):
            raise stood_still()

    async def abandon(self, draft: ContentDraft) -> None:
        """Nobody will finish it: it is removed with the next sweep."""
        await self._touch(draft, self._clock.now())

    async def finish(
        self, draft: ContentDraft, label: FileLabel, *, digest: str, size: int
    ) -> StoredFile:
        """Name the content by a new file, which is on disk when this returns.

        Content that the tenant has already is named instead, and what was written is removed.
        Raises TooLarge where others took the room meanwhile, Conflict as `keep` does.
        """
        async with transaction(self._database.durable) as connection:
            return await self.name(connection, draft, label, digest=digest, size=size)

    async def name(
        self,
        connection: AsyncConnection,
        draft: ContentDraft,
        label: FileLabel,
        *,
        digest: str,
        size: int,
    ) -> StoredFile:
        """The same as a part of its caller's transaction, which is a durable one."""
        now, tenant_id = self._clock.now(), draft.tenant_id
        used = await self._storage.lock(connection, tenant_id)
        known = {"tenant": tenant_id, "digest": digest}
        content_id = await connection.scalar(_BY_DIGEST, known)
        if content_id is None:
            self._room(used, size)
            sealed = {"b_id": draft.id, "b_now": now, "b_digest": digest, "b_bytes": size}
            if not (await connection.execute(SEAL_DRAFT, sealed)).rowcount:
                raise stood_still()
            await self._storage.add(connection, tenant_id, size)
        else:
            await connection.execute(_TOUCH, {"b_id": draft.id, "b_now": now, "b_until": now})
        file = _file(content_id or draft.id, label, size=size, now=now)
        row = {name: getattr(file, name) for name in file.__struct_fields__}
        await connection.execute(_NAME, row | {"tenant_id": tenant_id})
        return file

    def _room(self, used: int, size: int = 1) -> int:
        limit = self._settings.tenant_limit_bytes
        if used + size > limit:
            raise no_room(limit)
        return limit - used

    async def _touch(self, draft: ContentDraft, until: datetime) -> bool:
        values = {"b_id": draft.id, "b_now": self._clock.now(), "b_until": until}
        async with transaction(self._database.relaxed) as connection:
            return (await connection.execute(_TOUCH, values)).rowcount > 0


def no_room(limit_bytes: int) -> TooLarge:
    """The tenant's content would be more than it may be."""
    return TooLarge(
        f"All your files together may take {limit_bytes} bytes, and with this one they would take "
        "more. Delete some: GET /v1/files lists them.",
        param="file",
        kind="file_quota_exceeded",
    )


def stood_still() -> Conflict:
    """The draft was removed, or may be at any moment."""
    return Conflict("The upload stood still for too long. Send the file again.")


def _file(content_id: str, label: FileLabel, *, size: int, now: datetime) -> StoredFile:
    return StoredFile(
        id=new_file_id(),
        content_id=content_id,
        filename=label.filename,
        purpose=label.purpose,
        bytes=size,
        created_at=now,
        expires_at=label.expires_at(now),
    )


BEGIN_DRAFT: Final = insert(content)
"""With `bytes` 0, and until when nobody removes it: `removable_at`."""
_NAME: Final = insert(stored_file)
_BY_DIGEST: Final = select(content.c.id).where(
    content.c.tenant_id == bindparam("tenant"), content.c.digest == bindparam("digest")
)
_IS_DRAFT: Final = (content.c.id == bindparam("b_id"), content.c.removable_at > bindparam("b_now"))
_TOUCH: Final = update(content).where(*_IS_DRAFT).values(removable_at=bindparam("b_until"))
SEAL_DRAFT: Final = (
    update(content)
    .where(*_IS_DRAFT)
    .values(digest=bindparam("b_digest"), bytes=bindparam("b_bytes"), removable_at=None)
)
"""Nothing where it may be removed at any moment: what gives content its digest."""
