"""What a message of documents holds, checked and put into the ledger."""

from __future__ import annotations

from typing import Final

import msgspec

from shared.accepting.entrance import key_of, may_not_post, may_not_write, unknown_key
from shared.accepting.posted_documents import (
    check_life,
    new_documents,
    storable_id,
    unknown_name,
)
from shared.accepting.reading_requests import read_request
from shared.clock import Clock
from shared.errors import NotFound
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.document import Document, NewDocument
from shared.index.documents.posting import DocumentPosts
from shared.messages.requests.post_documents import PostDocuments
from shared.messages.tenant import POSTING
from shared.persistence.tenants import TenantRepository

_COLLECTION: Final = "collection"
_new: Final = msgspec.json.Decoder(PostDocuments)


class DocumentWriting:
    """Puts what a message holds into the ledger, as POST /v1/documents does."""

    def __init__(
        self,
        tenants: TenantRepository,
        catalogue: CollectionCatalogue,
        posts: DocumentPosts,
        clock: Clock,
        *,
        limit_bytes: int,
    ) -> None:
        self._tenants = tenants
        self._catalogue = catalogue
        self._posts = posts
        self._clock = clock
        self._limit_bytes = limit_bytes

    async def write(self, authorization: str | None, raw: bytes) -> list[Document]:
        """On disk when it returns; raises what a door raises, and LedgerUnavailable."""
        tenant_id = await self._tenant_of(key_of(authorization, None))
        asked = read_request(_new, raw)
        documents = new_documents(asked, limit_bytes=self._limit_bytes)
        return await self._put(tenant_id, asked.collection, documents)

    async def _tenant_of(self, key: str) -> str:
        opened = await self._tenants.by_key(key)
        if opened is None:
            raise unknown_key()
        if opened.scope not in POSTING:
            raise may_not_post(opened.scope)
        if opened.principals is not None or opened.delegates:
            raise may_not_write()
        return opened.tenant.id

    async def _put(
        self, tenant_id: str, name_or_id: str, documents: list[NewDocument]
    ) -> list[Document]:
        try:
            collection = await self._catalogue.named(tenant_id, storable_id(name_or_id))
        except NotFound:
            raise unknown_name(name_or_id, _COLLECTION) from None
        check_life(collection, self._clock.now(), _COLLECTION)
        put = await self._posts.put_all(tenant_id, collection.id, documents)
        await self._catalogue.touch(tenant_id, [collection.id])
        return put
