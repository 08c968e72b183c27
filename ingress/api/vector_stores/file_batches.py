"""/v1/vector_stores/{id}/file_batches: put many files in at once, and see how far they are."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingress.api.http.exchange import Exchange
from ingress.api.index.index_door import IndexDoor
from ingress.api.vector_stores.file_object import batch_object
from ingress.api.vector_stores.named_files import NamedFile, NamedFiles
from ingress.api.vector_stores.store_files import POLL_SOON, files_of
from ingress.api.vector_stores.store_object import file_counts
from ingress.api.vector_stores.store_paging import StorePage
from ingress.api.vector_stores.store_requests import AddFiles, sizes_of
from ingress.api.vector_stores.stores import store_id
from ingress.authentication import Caller
from shared.accepting.reading_requests import read_request
from shared.errors import InvalidRequest, NotFound
from shared.identifiers import FILE_BATCH, made_at, new_id
from shared.index.collections.collection import Collection
from shared.index.collections.figures import DocumentCounts

_ID: Final = re.compile(f"{FILE_BATCH}_[0-9a-f]{{32}}")
_new: Final = msgspec.json.Decoder(AddFiles)


class FileBatches:
    """Files that were put in together. A batch is known by its files: it goes with the last."""

    def __init__(self, index: IndexDoor, files: NamedFiles) -> None:
        self._index = index
        self._files = files

    async def create(self, exchange: Exchange) -> None:
        """Put files in, all of them or none."""
        index = self._index
        caller = await index.owner(exchange)
        named = _named(read_request(_new, await index.door.read_json(exchange)))
        collection = await index.collection(caller, store_id(exchange), is_used=True)
        batch_id = new_id(FILE_BATCH)
        files = await self._files.documents(caller, named, batch_id=batch_id)
        await index.put(caller, collection, files)
        await self._answer(exchange, caller, collection, batch_id)

    async def retrieve(self, exchange: Exchange) -> None:
        """How far it is."""
        caller = await self._index.door.caller(exchange)
        collection = await self._index.collection(caller, store_id(exchange))
        await self._answer(exchange, caller, collection, _batch_id(exchange))

    async def cancel(self, exchange: Exchange) -> None:
        """Leave out those of its files that are not indexed yet."""
        index = self._index
        caller = await index.owner(exchange)
        collection, batch_id = (
            await index.collection(caller, store_id(exchange)),
            _batch_id(exchange),
        )
        cancelling = index.changes.cancel(caller.tenant.id, collection.id, batch_id)
        await index.patience.wait(cancelling)
        await self._answer(exchange, caller, collection, batch_id)

    async def files(self, exchange: Exchange) -> None:
        """A page of its files."""
        index = self._index
        caller = await index.door.caller(exchange)
        page = StorePage.of_files(exchange)
        collection, batch_id = (
            await index.collection(caller, store_id(exchange)),
            _batch_id(exchange),
        )
        await self._counts(caller, collection, batch_id)
        told = await files_of(index, caller, page, collection.id, batch_id=batch_id)
        await exchange.answer(200, told)

    async def _answer(
        self, exchange: Exchange, caller: Caller, collection: Collection, batch_id: str
    ) -> None:
        counts = file_counts(await self._counts(caller, collection, batch_id))
        told = batch_object(batch_id, collection.id, counts, int(made_at(batch_id).timestamp()))
        headers = (POLL_SOON,) if told.status == "in_progress" else ()
        await exchange.answer(200, msgspec.json.encode(told), headers)

    async def _counts(
        self, caller: Caller, collection: Collection, batch_id: str
    ) -> DocumentCounts:
        index = self._index
        counting = index.figures.of_batch(caller.tenant.id, collection.id, batch_id)
        counts = await index.patience.wait(counting)
        if not counts.total:
            raise _unknown(batch_id, collection.id)
        return counts


def _batch_id(exchange: Exchange) -> str:
    batch_id = exchange.parameters["batch_id"]
    if not _ID.fullmatch(batch_id):
        raise _unknown(batch_id, store_id(exchange))
    return batch_id


def _unknown(batch_id: str, collection_id: str) -> NotFound:
    return NotFound(
        f"There is no file batch '{batch_id[:64]}' in '{collection_id[:64]}'.", param="batch_id"
    )


def _named(asked: AddFiles) -> list[NamedFile]:
    if (asked.file_ids is None) == (asked.files is None):
        raise InvalidRequest("Give either 'file_ids' or 'files'.", param="file_ids")
    if asked.files is None:
        sizes, attributes = sizes_of(asked.chunking_strategy, ""), asked.attributes or {}
        return [
            NamedFile(file_id, f"file_ids[{nth}]", attributes, sizes)
            for nth, file_id in enumerate(asked.file_ids or ())
        ]
    for name in ("attributes", "chunking_strategy"):
        if getattr(asked, name) is not None:
            raise InvalidRequest(
                f"'{name}' is for 'file_ids'. With 'files' say it of each of them.", param=name
            )
    return [
        NamedFile(
            each.file_id,
            f"files[{nth}].file_id",
            each.attributes or {},
            sizes_of(each.chunking_strategy, f"files[{nth}]."),
        )
        for nth, each in enumerate(asked.files)
    ]
