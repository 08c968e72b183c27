"""The catalogue: which files a tenant has, and which content each of them names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, bindparam, delete, exists, or_, select, update

from shared.clock import Clock
from shared.files.drafts import UNTOUCHED
from shared.files.stored_file import FilePurpose, StoredFile
from shared.files.tables import content, stored_file
from shared.files.tenant_storage import TenantStorage
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction


class FileToIndex(msgspec.Struct, frozen=True):
    """A file as the index has to know it; `digest` is its content's."""

    id: str
    filename: str
    purpose: FilePurpose
    bytes: int
    digest: str


class FileCatalogue:
    """Files by their ids, which sort by time; another tenant's do not exist, nor expired ones.

    Everything raises LedgerUnavailable when the database does not answer.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._storage = TenantStorage(database)
        self._ids = IdList(database.relaxed.dialect)
        self._to_index = _TO_INDEX.where(self._ids.holds(stored_file.c.id))

    async def find(self, file_id: str, *, tenant_id: str) -> StoredFile | None:
        """The file, if there is one."""
        wanted = {"id": file_id, "tenant": tenant_id, "now": self._clock.now()}
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_FIND, wanted)).one_or_none()
        return None if row is None else _file(row)

    async def to_index(self, ids: Sequence[str], *, tenant_id: str) -> dict[str, FileToIndex]:
        """Those of the files that there are, each by its id, in one statement."""
        wanted = self._ids.parameters(ids) | {"tenant": tenant_id, "now": self._clock.now()}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(self._to_index, wanted)
            return {row.id: FileToIndex(**row._mapping) for row in rows}

    async def list(
        self,
        tenant_id: str,
        *,
        purpose: FilePurpose | None = None,
        after: str | None = None,
        newest_first: bool = True,
        limit: int,
    ) -> list[StoredFile]:
        """Files in the order of their making, from behind the id `after`, `limit` at most."""
        key = stored_file.c.id
        query = _OF_TENANT.order_by(key.desc() if newest_first else key.asc()).limit(limit)
        if purpose is not None:
            query = query.where(stored_file.c.purpose == purpose)
        if after is not None:
            query = query.where(key < after if newest_first else key > after)
        wanted = {"tenant": tenant_id, "now": self._clock.now()}
        async with reading(self._database.relaxed) as connection:
            return [_file(row) for row in await connection.execute(query, wanted)]

    async def delete(self, file_id: str, *, tenant_id: str) -> bool:
        """Forget a file, and its content with the last one that names it; False if there is none.

        Whoever reads the content has `UNTOUCHED` to end.
        """
        async with transaction(self._database.durable) as connection:
            named = {"id": file_id, "tenant": tenant_id}
            content_id = await connection.scalar(_DELETE, named)
            if content_id is None:
                return False
            await self._storage.lock(connection, tenant_id)
            unnamed = {"b_id": content_id, "b_until": self._clock.now() + UNTOUCHED}
            freed = await connection.scalar(_UNNAME, unnamed)
            if freed is not None:
                await self._storage.add(connection, tenant_id, -freed)
        return True


def _file(row: Row[Any]) -> StoredFile:
    return StoredFile(**row._mapping)


_COLUMNS: Final = tuple(stored_file.c[name] for name in StoredFile.__struct_fields__)
_HAS_NOT_EXPIRED: Final[ColumnElement[bool]] = or_(
    stored_file.c.expires_at.is_(None), stored_file.c.expires_at > bindparam("now")
)
_OF_TENANT: Final = select(*_COLUMNS).where(
    stored_file.c.tenant_id == bindparam("tenant"), _HAS_NOT_EXPIRED
)
_TO_INDEX: Final = (
    select(*(stored_file.c[name] for name in ("id", "filename", "purpose", "bytes")))
    .add_columns(content.c.digest)
    .join(content, content.c.id == stored_file.c.content_id)
    .where(stored_file.c.tenant_id == bindparam("tenant"), _HAS_NOT_EXPIRED)
)
_FIND: Final = _OF_TENANT.where(stored_file.c.id == bindparam("id"))
_DELETE: Final = (
    delete(stored_file)
    .where(stored_file.c.id == bindparam("id"), stored_file.c.tenant_id == bindparam("tenant"))
    .returning(stored_file.c.content_id)
)
_UNNAME: Final = (
    update(content)
    .where(content.c.id == bindparam("b_id"), content.c.digest.is_not(None))
    .where(~exists().where(stored_file.c.content_id == content.c.id))
    .values(digest=None, removable_at=bindparam("b_until"))
    .returning(content.c.bytes)
)
