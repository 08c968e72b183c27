"""Reads the content that messages refer to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.errors import NotFound
from shared.files.content_store import ContentStore, read_pieces
from shared.files.tables import content
from shared.large_content import text_of
from shared.messages.item import Item
from shared.messages.stored_body import references_in, with_contents
from shared.persistence.bulk_parameters import RowDocument
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class KnownContent(NamedTuple):
    """Content that a tenant has."""

    id: str
    bytes: int


class MessageContents:
    """Content of a tenant by its digest; raises Unavailable where the store does not answer."""

    def __init__(self, database: Database, store: ContentStore) -> None:
        self._engine = database.relaxed
        self._store = store
        key = content.c.tenant_id, content.c.digest
        self._wanted = RowDocument(key, database.relaxed.dialect)
        self._query = select(content.c.digest, content.c.id, content.c.bytes).where(
            *(column == self._wanted.relation.c[column.name] for column in key)
        )

    async def known(
        self, connection: AsyncConnection, digests: Iterable[str], *, tenant_id: str
    ) -> dict[str, KnownContent]:
        """Those that the tenant has, by their digests, within their reader's transaction."""
        wanted = [{"tenant_id": tenant_id, "digest": each} for each in digests]
        rows = await connection.execute(self._query, self._wanted.parameters(wanted))
        return {row.digest: KnownContent(row.id, row.bytes) for row in rows}

    async def read(self, digests: Iterable[str], *, tenant_id: str) -> dict[str, str]:
        """Those that are there whole, by their digests."""
        async with reading(self._engine) as connection:
            known = await self.known(connection, digests, tenant_id=tenant_id)
        texts = dict[str, str]()
        for digest, each in known.items():
            pieces = await read_pieces(self._store, each.id, each.bytes)
            if pieces is not None:
                texts[digest] = text_of(pieces)
        return texts

    async def whole(self, items: Sequence[Item], *, tenant_id: str) -> list[Item]:
        """The items with all their content; raises NotFound where some is not there any more."""
        digests = {each.digest for each in references_in(items)}
        if not digests:
            return [*items]
        contents = await self.read(digests, tenant_id=tenant_id)
        if digests - contents.keys():
            raise NotFound("An image or a file of this message is not there any more.")
        return [with_contents(item, contents) for item in items]
