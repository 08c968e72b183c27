"""What every surface of the index works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingress.api.door import Door
from ingress.api.http.exchange import Exchange
from ingress.api.index.waking import IndexWaking
from ingress.authentication import Caller
from ingress.patience import Patience
from shared.accepting.entrance import may_not_write
from shared.accepting.posted_documents import check_life, storable_id, unknown_name
from shared.errors import NotFound
from shared.files.file_catalogue import FileCatalogue
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.figures import CollectionFigures
from shared.index.collections.generations import CollectionGenerations
from shared.index.document import Document, NewDocument
from shared.index.documents.changing import DocumentChanges
from shared.index.documents.posting import DocumentPosts
from shared.index.documents.reading import Documents, unknown_document
from shared.index.states import DocumentState
from shared.settings.indexing.index import IndexSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexDoor:
    """The ledger of the index behind a door, and who may do what to it.

    A key without principals reads and writes all of its tenant's; one with principals reads what
    they may see, and a document that they may not see does not exist for it.
    """

    door: Door
    settings: IndexSettings
    catalogue: CollectionCatalogue
    documents: Documents
    posts: DocumentPosts
    changes: DocumentChanges
    figures: CollectionFigures
    generations: CollectionGenerations
    files: FileCatalogue
    waking: IndexWaking
    patience: Patience

    async def owner(self, exchange: Exchange) -> Caller:
        """Who asks, and may see and write all of its tenant's; raises what Door.caller raises, and
        Forbidden."""
        caller = await self.door.caller(exchange)
        if caller.principals is not None:
            raise may_not_write()
        return caller

    async def collection(
        self, caller: Caller, collection_id: str, *, is_used: bool = False
    ) -> Collection:
        """One of the caller's; raises NotFound, and InvalidRequest where one that has expired is
        to be used."""
        finding = self.catalogue.find(caller.tenant.id, storable_id(collection_id))
        found = await self.patience.wait(finding)
        if is_used:
            check_life(found, self.door.clock.now(), "vector_store_id")
        return found

    async def named(
        self, caller: Caller, name_or_id: str, *, param: str, is_used: bool = False
    ) -> Collection:
        """The same by its name, where no other has it; raises Conflict as well."""
        naming = self.catalogue.named(caller.tenant.id, storable_id(name_or_id))
        try:
            found = await self.patience.wait(naming)
        except NotFound:
            raise unknown_name(name_or_id, param) from None
        if is_used:
            check_life(found, self.door.clock.now(), param)
        return found

    async def document(self, caller: Caller, collection_id: str, document_id: str) -> Document:
        """One that the caller may see; raises NotFound."""
        finding = self.documents.find(caller.tenant.id, collection_id, storable_id(document_id))
        found = await self.patience.wait(finding)
        if not shown_to(caller, [found]):
            raise unknown_document(collection_id, document_id)
        return found

    async def page(
        self,
        caller: Caller,
        collection_id: str,
        *,
        states: Sequence[DocumentState] = (),
        source: str | None = None,
        batch_id: str | None = None,
        after: str | None = None,
        before: str | None = None,
        newest_first: bool,
        limit: int,
    ) -> list[Document]:
        """Documents in the order of their ids, those that the caller may see: the next behind
        `after`, or the last ones before `before`; not both."""
        is_backwards = before is not None
        shown: list[Document] = []
        while len(shown) < limit:
            found = await self.patience.wait(
                self.documents.list(
                    caller.tenant.id,
                    collection_id,
                    states=states,
                    source=source,
                    batch_id=batch_id,
                    after=after,
                    before=before,
                    newest_first=newest_first,
                    limit=limit,
                )
            )
            seen = shown_to(caller, found)
            shown = [*seen, *shown] if is_backwards else [*shown, *seen]
            if len(found) < limit:
                break
            after, before = (None, found[0].id) if is_backwards else (found[-1].id, None)
        return shown[-limit:] if is_backwards else shown[:limit]

    async def put(
        self, caller: Caller, collection: Collection, documents: Sequence[NewDocument]
    ) -> list[Document]:
        """Have them indexed, all of them or none, on disk when this returns."""
        tenant_id = caller.tenant.id
        put = await self.patience.wait(self.posts.put_all(tenant_id, collection.id, documents))
        await self.patience.wait(self.catalogue.touch(tenant_id, [collection.id]))
        await self._leave_out_deleted(tenant_id, collection.id, documents)
        await self.waking.wake(collection.id)
        return put

    async def _leave_out_deleted(
        self, tenant_id: str, collection_id: str, documents: Sequence[NewDocument]
    ) -> None:
        """Files that were deleted while they were put in: whoever deletes one takes it out of
        collections when it is gone, and so finds it here, or is seen here."""
        ids = [each.file_id for each in documents if each.file_id is not None]
        if not ids:
            return
        there = await self.patience.wait(self.files.to_index(ids, tenant_id=tenant_id))
        if gone := [each for each in ids if each not in there]:
            await self.patience.wait(self.changes.remove(tenant_id, collection_id, gone))

    async def remove(self, caller: Caller, found: Document) -> None:
        """Take it out: no search finds it from here on."""
        removing = self.changes.remove(caller.tenant.id, found.collection_id, [found.id])
        await self.patience.wait(removing)
        await self.waking.wake(found.collection_id)


def shown_to(caller: Caller, documents: Sequence[Document]) -> list[Document]:
    """Those of the documents that this caller may see."""
    principals = caller.principals
    if principals is None:
        return [*documents]
    readers = frozenset(principals)
    return [each for each in documents if not each.principals or readers & {*each.principals}]
