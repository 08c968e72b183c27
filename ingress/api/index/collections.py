"""/v1/collections: make one, find it by name or id, change it, look into it, switch it over."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.http.query import is_newest_first, known_query, page_limit, place_in_list
from ingress.api.index.collection_object import (
    CollectionList,
    CreateCollection,
    DeletedCollection,
    UpdateCollection,
    collection_freshness,
    collection_object,
    collection_stats,
)
from ingress.api.index.index_door import IndexDoor
from ingress.authentication import Caller
from shared.accepting.reading_requests import read_request
from shared.identifiers import COLLECTION
from shared.index.collections.collection import Collection
from shared.index.collections.rows import unknown_collection

_new: Final = msgspec.json.Decoder(CreateCollection)
_change: Final = msgspec.json.Decoder(UpdateCollection)
_QUERY: Final = frozenset({"limit", "order", "after"})
_IDS: Final = re.compile(f"{COLLECTION}_[0-9a-f]{{32}}")
_USUAL_PAGE: Final = 100
_LARGEST_PAGE: Final = 1_000


class CollectionEndpoints:
    """Collections of the caller's tenant, each by its id or by its name where no other has it."""

    def __init__(self, index: IndexDoor) -> None:
        self._index = index

    async def create(self, exchange: Exchange) -> None:
        """Make one."""
        index = self._index
        caller = await index.owner(exchange)
        asked = read_request(_new, await index.door.read_json(exchange))
        made = await index.patience.wait(
            index.catalogue.create(
                caller.tenant.id,
                name=asked.name,
                description=asked.description,
                notes=asked.metadata or {},
                life_days=asked.life_days,
            )
        )
        await _answer(exchange, made)

    async def list(self, exchange: Exchange) -> None:
        """A page of them, the newest first."""
        index = self._index
        caller = await index.door.caller(exchange)
        query = known_query(exchange, _QUERY)
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        found = await index.patience.wait(
            index.catalogue.list(
                caller.tenant.id,
                after=place_in_list(query, "after", _IDS, of="a collection"),
                newest_first=is_newest_first(query),
                limit=limit + 1,
            )
        )
        told = [collection_object(each) for each in found[:limit]]
        page = CollectionList(told, has_more=len(found) > limit)
        await exchange.answer(200, msgspec.json.encode(page))

    async def retrieve(self, exchange: Exchange) -> None:
        """One of them."""
        _, found = await self._found(exchange)
        await _answer(exchange, found)

    async def update(self, exchange: Exchange) -> None:
        """Change what is given."""
        index = self._index
        await index.owner(exchange)
        asked = read_request(_change, await index.door.read_json(exchange))
        caller, found = await self._found(exchange)
        if changes := _changes(asked):
            changing = index.catalogue.change(caller.tenant.id, found.id, **changes)
            found = await index.patience.wait(changing)
        await _answer(exchange, found)

    async def delete(self, exchange: Exchange) -> None:
        """Forget it and all that is in it."""
        index = self._index
        await index.owner(exchange)
        caller, found = await self._found(exchange)
        await index.patience.wait(index.catalogue.delete(caller.tenant.id, found.id))
        await exchange.answer(200, msgspec.json.encode(DeletedCollection(found.id)))

    async def stats(self, exchange: Exchange) -> None:
        """How many documents are in which state."""
        caller, found = await self._found(exchange)
        counting = self._index.figures.counts(caller.tenant.id, [found.id])
        counts = (await self._index.patience.wait(counting))[found.id]
        await exchange.answer(200, msgspec.json.encode(collection_stats(found, counts)))

    async def freshness(self, exchange: Exchange) -> None:
        """Up to what each of its sources is indexed."""
        caller, found = await self._found(exchange)
        looking = self._index.figures.freshness(caller.tenant.id, [found.id])
        fresh = (await self._index.patience.wait(looking)).get(found.id)
        if fresh is None:
            raise unknown_collection(found.id)
        await exchange.answer(200, msgspec.json.encode(collection_freshness(found, fresh)))

    async def swap(self, exchange: Exchange) -> None:
        """Search what was built beside it from here on; 409 while a document waits for it."""
        await self._index.owner(exchange)
        caller, found = await self._found(exchange)
        swapping = self._index.generations.swap(caller.tenant.id, found.id)
        await _answer(exchange, await self._index.patience.wait(swapping))

    async def _found(self, exchange: Exchange) -> tuple[Caller, Collection]:
        caller = await self._index.door.caller(exchange)
        named = exchange.parameters["collection"]
        return caller, await self._index.named(caller, named, param="collection")


def _changes(asked: UpdateCollection) -> dict[str, Any]:
    given = {
        "name": asked.name,
        "description": asked.description,
        "notes": asked.metadata if asked.metadata is not None else {},
        "life_days": asked.life_days,
    }
    return {field: value for field, value in given.items() if value is not msgspec.UNSET}


async def _answer(exchange: Exchange, found: Collection) -> None:
    await exchange.answer(200, msgspec.json.encode(collection_object(found)))
