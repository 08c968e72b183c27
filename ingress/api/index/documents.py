"""/v1/documents: post them, list, read and delete them."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import is_newest_first, known_query, page_limit, place_in_list
from ingress.api.index.index_door import IndexDoor
from ingress.authentication import Caller
from shared.accepting.document_object import DocumentList, document_object
from shared.accepting.posted_documents import new_documents
from shared.accepting.reading_requests import read_request
from shared.errors import InvalidRequest, use_one_of
from shared.index.collections.collection import Collection
from shared.index.document import DOCUMENT_IDS, Document
from shared.index.states import DocumentState
from shared.messages.requests.post_documents import PostDocuments
from shared.storable_text import is_storable

_COLLECTION: Final = "collection"
_QUERY: Final = frozenset({_COLLECTION, "state", "source", "limit", "order", "after"})
_USUAL_PAGE: Final = 100
_LARGEST_PAGE: Final = 1_000
_new: Final = msgspec.json.Decoder(PostDocuments)


class DeletedDocument(msgspec.Struct, frozen=True):
    """The answer to DELETE."""

    id: str
    object: Literal["document.deleted"] = "document.deleted"
    deleted: bool = True


class DocumentEndpoints:
    """Documents of a collection. What its caller may not see is not there."""

    def __init__(self, index: IndexDoor) -> None:
        self._index = index

    async def create(self, exchange: Exchange) -> None:
        """Put documents into a collection, all of them or none, on disk when this answers.

        One that is there already and is the same is left as it is.
        """
        index = self._index
        caller = await index.owner(exchange)
        asked = read_request(_new, await index.door.read_json(exchange))
        limit = index.settings.document_limit_bytes
        documents = new_documents(asked, limit_bytes=limit)
        collection = await index.named(caller, asked.collection, param=_COLLECTION, is_used=True)
        put = await index.put(caller, collection, documents)
        page = DocumentList([document_object(each) for each in put])
        await exchange.answer(200, msgspec.json.encode(page))

    async def list(self, exchange: Exchange) -> None:
        """A page of a collection's documents, in the order of their ids."""
        index = self._index
        caller = await index.door.caller(exchange)
        query = known_query(exchange, _QUERY)
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        after = place_in_list(query, "after", DOCUMENT_IDS, of="a document")
        collection = await self._collection(caller, query)
        found = await index.page(
            caller,
            collection.id,
            states=_states(query),
            source=_source(query),
            after=after,
            newest_first=is_newest_first({"order": "asc"} | query),
            limit=limit + 1,
        )
        told = [document_object(each) for each in found[:limit]]
        page = DocumentList(told, has_more=len(found) > limit)
        await exchange.answer(200, msgspec.json.encode(page))

    async def retrieve(self, exchange: Exchange) -> None:
        """One of them."""
        caller = await self._index.door.caller(exchange)
        found = await self._found(exchange, caller)
        await exchange.answer(200, msgspec.json.encode(document_object(found)))

    async def delete(self, exchange: Exchange) -> None:
        """Take it out: no search finds it from here on."""
        caller = await self._index.owner(exchange)
        found = await self._found(exchange, caller)
        await self._index.remove(caller, found)
        await exchange.answer(200, msgspec.json.encode(DeletedDocument(found.id)))

    async def _found(self, exchange: Exchange, caller: Caller) -> Document:
        collection = await self._collection(caller, known_query(exchange, {_COLLECTION}))
        return await self._index.document(caller, collection.id, exchange.parameters["document_id"])

    async def _collection(self, caller: Caller, query: dict[str, str]) -> Collection:
        named = query.get(_COLLECTION)
        if not named:
            raise InvalidRequest(
                "Name the collection: '?collection=NAME', or its id.", param=_COLLECTION
            )
        return await self._index.named(caller, named, param=_COLLECTION)


def _source(query: dict[str, str]) -> str | None:
    source = query.get("source")
    if source is not None and not is_storable(source):
        raise InvalidRequest("'source' must be the source of a document.", param="source")
    return source


def _states(query: dict[str, str]) -> tuple[DocumentState, ...]:
    asked = query.get("state")
    if asked is None:
        return ()
    try:
        return (DocumentState(asked),)
    except ValueError:
        raise InvalidRequest(
            f"Invalid value for 'state': '{asked[:64]}'. {use_one_of(DocumentState)}.",
            param="state",
        ) from None
