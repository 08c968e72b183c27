"""/v1/vector_stores: make one, list, read, change and delete it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.index.index_door import IndexDoor
from ingress.api.vector_stores.named_files import NamedFile, NamedFiles
from ingress.api.vector_stores.store_object import (
    DeletedVectorStore,
    VectorStoreObject,
    store_list,
    store_object,
)
from ingress.api.vector_stores.store_paging import StorePage
from ingress.api.vector_stores.store_requests import (
    CreateVectorStore,
    UpdateVectorStore,
    sizes_of,
)
from ingress.authentication import Caller
from shared.accepting.reading_requests import read_request
from shared.index.collections.collection import Collection
from shared.index.collections.rows import unknown_collection

_new: Final = msgspec.json.Decoder(CreateVectorStore)
_change: Final = msgspec.json.Decoder(UpdateVectorStore)


class VectorStores:
    """Collections of the caller's tenant. Another tenant's do not exist."""

    def __init__(self, index: IndexDoor, files: NamedFiles) -> None:
        self._index = index
        self._files = files

    async def create(self, exchange: Exchange) -> None:
        """Make one, with files where some are named."""
        index = self._index
        caller = await index.owner(exchange)
        asked = read_request(_new, await index.door.read_json(exchange))
        sizes = sizes_of(asked.chunking_strategy, "")
        named = [
            NamedFile(file_id, f"file_ids[{nth}]", sizes=sizes)
            for nth, file_id in enumerate(asked.file_ids or ())
        ]
        files = await self._files.documents(caller, named)
        expiry = asked.expires_after
        made = await index.patience.wait(
            index.catalogue.create(
                caller.tenant.id,
                name=asked.name or "",
                description=asked.description,
                notes=asked.metadata or {},
                life_days=None if expiry is None else expiry.days,
            )
        )
        if files:
            await index.put(caller, made, files)
        await self._answer(exchange, caller, made)

    async def list(self, exchange: Exchange) -> None:
        """A page of them, the newest first."""
        index = self._index
        caller = await index.door.caller(exchange)
        page = StorePage.of_stores(exchange)
        found = await index.patience.wait(
            index.catalogue.list(
                caller.tenant.id,
                after=page.after,
                before=page.before,
                newest_first=page.newest_first,
                limit=page.limit + 1,
            )
        )
        kept, has_more = page.cut(found)
        listed = store_list(await _objects(index, caller, kept), has_more=has_more)
        await exchange.answer(200, msgspec.json.encode(listed))

    async def retrieve(self, exchange: Exchange) -> None:
        """One of them."""
        caller = await self._index.door.caller(exchange)
        found = await self._index.collection(caller, store_id(exchange))
        await self._answer(exchange, caller, found)

    async def update(self, exchange: Exchange) -> None:
        """Change its name, its metadata or when it expires."""
        index = self._index
        caller = await index.owner(exchange)
        asked = read_request(_change, await index.door.read_json(exchange))
        found = await index.collection(caller, store_id(exchange))
        changes = _changes(asked)
        if changes:
            changing = index.catalogue.change(caller.tenant.id, found.id, **changes)
            found = await index.patience.wait(changing)
        await self._answer(exchange, caller, found)

    async def delete(self, exchange: Exchange) -> None:
        """Forget it and all that is indexed in it. Files stay."""
        index = self._index
        caller = await index.owner(exchange)
        wanted = store_id(exchange)
        if not await index.patience.wait(index.catalogue.delete(caller.tenant.id, wanted)):
            raise unknown_collection(wanted)
        await exchange.answer(200, msgspec.json.encode(DeletedVectorStore(wanted)))

    async def _answer(self, exchange: Exchange, caller: Caller, found: Collection) -> None:
        (told,) = await _objects(self._index, caller, [found])
        await exchange.answer(200, msgspec.json.encode(told))


def store_id(exchange: Exchange) -> str:
    """The vector store that the path names."""
    return exchange.parameters["vector_store_id"]


async def _objects(
    index: IndexDoor, caller: Caller, found: Sequence[Collection]
) -> list[VectorStoreObject]:
    ids = [each.id for each in found]
    counts = await index.patience.wait(index.figures.counts(caller.tenant.id, ids))
    now = index.door.clock.now()
    return [store_object(each, counts[each.id], now=now) for each in found]


def _changes(asked: UpdateVectorStore) -> dict[str, Any]:
    """What is to be other than it was."""
    changes: dict[str, Any] = {}
    if asked.name is not msgspec.UNSET:
        changes["name"] = asked.name or ""
    if asked.metadata is not msgspec.UNSET:
        changes["notes"] = asked.metadata or {}
    if asked.expires_after is not msgspec.UNSET:
        expiry = asked.expires_after
        changes["life_days"] = expiry.days if expiry else None
    return changes
