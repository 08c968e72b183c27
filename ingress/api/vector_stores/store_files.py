"""/v1/vector_stores/{id}/files: put a file in, list them, read, label and take one out."""

from __future__ import annotations

from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.index.document_texts import DocumentTexts
from ingress.api.index.index_door import IndexDoor
from ingress.api.vector_stores.file_object import (
    DeletedVectorStoreFile,
    FileContent,
    FileText,
    file_object,
    file_page,
)
from ingress.api.vector_stores.named_files import NamedFile, NamedFiles
from ingress.api.vector_stores.store_paging import StorePage
from ingress.api.vector_stores.store_requests import (
    AddFile,
    UpdateFileAttributes,
    sizes_of,
)
from ingress.api.vector_stores.stores import store_id
from ingress.authentication import Caller
from shared.accepting.reading_requests import read_request
from shared.index.document import Document

POLL_SOON: Final = (b"openai-poll-after-ms", b"250")
"""OpenAI's clients ask again after so long, and not after a second."""

_new: Final = msgspec.json.Decoder(AddFile)
_labels: Final = msgspec.json.Decoder(UpdateFileAttributes)


class StoreFiles:
    """Documents of one collection. What its caller may not see is not there."""

    def __init__(self, index: IndexDoor, files: NamedFiles, texts: DocumentTexts) -> None:
        self._index = index
        self._texts = texts
        self._files = files

    async def create(self, exchange: Exchange) -> None:
        """Put a file in."""
        index = self._index
        caller = await index.owner(exchange)
        asked = read_request(_new, await index.door.read_json(exchange))
        sizes = sizes_of(asked.chunking_strategy, "")
        collection = await index.collection(caller, store_id(exchange), is_used=True)
        named = NamedFile(asked.file_id, "file_id", asked.attributes or {}, sizes)
        files = await self._files.documents(caller, [named])
        (document,) = await index.put(caller, collection, files)
        await _answer(exchange, document)

    async def list(self, exchange: Exchange) -> None:
        """A page of them."""
        index = self._index
        caller = await index.door.caller(exchange)
        page = StorePage.of_files(exchange)
        collection = await index.collection(caller, store_id(exchange))
        await exchange.answer(200, await files_of(index, caller, page, collection.id))

    async def retrieve(self, exchange: Exchange) -> None:
        """One of them."""
        caller = await self._index.door.caller(exchange)
        await _answer(exchange, await self._found(exchange, caller))

    async def update(self, exchange: Exchange) -> None:
        """Say other attributes of it; nothing is embedded again."""
        index = self._index
        caller = await index.owner(exchange)
        asked = read_request(_labels, await index.door.read_json(exchange))
        found = await self._found(exchange, caller)
        labelling = index.changes.label(
            caller.tenant.id, found.collection_id, found.id, attributes=asked.attributes or {}
        )
        labelled = await index.patience.wait(labelling)
        await index.waking.wake(found.collection_id)
        await _answer(exchange, labelled)

    async def delete(self, exchange: Exchange) -> None:
        """Take it out: no search finds it from here on. The file stays."""
        index = self._index
        caller = await index.owner(exchange)
        found = await self._found(exchange, caller)
        await index.remove(caller, found)
        await exchange.answer(200, msgspec.json.encode(DeletedVectorStoreFile(found.id)))

    async def content(self, exchange: Exchange) -> None:
        """The text that was found in it, piece by piece; none before it is indexed."""
        index = self._index
        caller = await index.door.caller(exchange)
        pieces = await self._texts.of(await self._found(exchange, caller))
        told = FileContent([FileText(each) for each in pieces])
        await exchange.answer(200, msgspec.json.encode(told))

    async def _found(self, exchange: Exchange, caller: Caller) -> Document:
        collection = await self._index.collection(caller, store_id(exchange))
        return await self._index.document(caller, collection.id, exchange.parameters["file_id"])


async def files_of(
    index: IndexDoor,
    caller: Caller,
    page: StorePage,
    collection_id: str,
    *,
    batch_id: str | None = None,
) -> bytes:
    """A page of a collection's files, or of a batch's, as they are told."""
    documents = await index.page(
        caller,
        collection_id,
        states=page.states,
        batch_id=batch_id,
        after=page.after,
        before=page.before,
        newest_first=page.newest_first,
        limit=page.limit + 1,
    )
    kept, has_more = page.cut(documents)
    return msgspec.json.encode(file_page(kept, has_more=has_more))


async def _answer(exchange: Exchange, document: Document) -> None:
    told = file_object(document)
    headers = (POLL_SOON,) if told.status == "in_progress" else ()
    await exchange.answer(200, msgspec.json.encode(told), headers)
