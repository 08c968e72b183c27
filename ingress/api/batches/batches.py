"""/v1/batches: ask for one, see how far it is, list them, cancel one, read what there is by now."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from ingress.api.batches.batch_door import BatchDoor
from ingress.api.batches.batch_object import BatchObject, batch_list, batch_object
from ingress.api.batches.create_batch import CreateBatch, decode_create_batch
from ingress.api.batches.creation import BatchCreation
from ingress.api.batches.results import Results
from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query, page_limit, place_in_list
from shared.batches.batch import MOST_BYTES, Batch
from shared.batches.result_lines import ResultKind
from shared.batches.state import BatchSurface
from shared.errors import Forbidden, InvalidRequest, NotFound
from shared.files.file_catalogue import FileCatalogue
from shared.files.stored_file import FilePurpose, StoredFile
from shared.identifiers import BATCH
from shared.storable_text import is_storable

_USUAL_PAGE: Final = 20
_LARGEST_PAGE: Final = 100
_IDS: Final = re.compile(f"{BATCH}_[0-9a-f]{{32}}")
_OURS: Final = BatchSurface.OPENAI


class Batches:
    """Batches of the caller's tenant, as OpenAI's clients ask for them. Another's do not exist."""

    def __init__(
        self, batches: BatchDoor, files: FileCatalogue, creation: BatchCreation, results: Results
    ) -> None:
        self._batches = batches
        self._files = files
        self._creation = creation
        self._results = results

    async def create(self, exchange: Exchange) -> None:
        """Ask for one. What is wrong with a line of its file is told by the batch itself."""
        caller = await self._batches.door.caller(exchange)
        if caller.principals is not None:
            raise Forbidden(
                "This key sees the documents of some principals, and no files. Use a key made "
                "without --principal and --delegates."
            )
        asked = decode_create_batch(await self._batches.door.read_json(exchange))
        file = await self._input(asked, caller.tenant.id)
        new, faults = asked.of_file(file, caller.tenant.id), asked.faults()
        if faults:
            failing = self._batches.catalogue.create(new, faults=faults)
            made = await self._batches.patience.wait(failing)
        else:
            made = await self._creation.create(new, caller.tenant)
        await exchange.answer(200, msgspec.json.encode(await self._told(made)))

    async def list(self, exchange: Exchange) -> None:
        """A page of them, the newest first."""
        caller = await self._batches.door.caller(exchange)
        query = known_query(exchange, {"after", "limit"})
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        after = place_in_list(query, "after", _IDS, of="a batch")
        listing = self._batches.catalogue.list(
            caller.tenant.id,
            surface=_OURS,
            after=after,
            seen_by=caller.principals,
            limit=limit + 1,
        )
        found = await self._batches.patience.wait(listing)
        told = [await self._told(each) for each in found[:limit]]
        page = batch_list(told, has_more=len(found) > limit)
        await exchange.answer(200, msgspec.json.encode(page))

    async def retrieve(self, exchange: Exchange) -> None:
        """One batch."""
        _, found = await self._batches.find(exchange, _OURS)
        await exchange.answer(200, msgspec.json.encode(await self._told(found)))

    async def cancel(self, exchange: Exchange) -> None:
        """Begin nothing more of it; what was answered by then is in its files."""
        caller, found = await self._batches.find(exchange, _OURS)
        cancelling = self._batches.catalogue.cancel(found.id, tenant_id=caller.tenant.id)
        cancelled = await self._batches.patience.wait(cancelling)
        await exchange.answer(200, msgspec.json.encode(await self._told(cancelled)))

    async def output(self, exchange: Exchange) -> None:
        """The lines that were answered by now, as its output file will have them."""
        await self._results.answer(exchange, _OURS, ResultKind.OUTPUT)

    async def errors(self, exchange: Exchange) -> None:
        """Those that ended otherwise, as its error file will have them."""
        await self._results.answer(exchange, _OURS, ResultKind.ERRORS)

    async def _told(self, batch: Batch) -> BatchObject:
        counts, usage = await self._batches.figures(batch)
        return batch_object(batch, counts, usage, now=self._batches.clock.now())

    async def _input(self, asked: CreateBatch, tenant_id: str) -> StoredFile:
        """The file that it names; raises NotFound, InvalidRequest."""
        file_id, file = asked.input_file_id, None
        if is_storable(file_id):
            file = await self._batches.patience.wait(self._files.find(file_id, tenant_id=tenant_id))
        if file is None:
            raise NotFound(
                f"There is no file '{file_id[:64]}'. Upload it with purpose batch first.",
                param="input_file_id",
            )
        if file.purpose is not FilePurpose.BATCH:
            raise InvalidRequest(
                f"The file '{file.id}' has the purpose {file.purpose}. Upload it with purpose "
                "batch.",
                param="input_file_id",
            )
        if file.bytes > MOST_BYTES:
            raise InvalidRequest(
                f"The file '{file.id}' has {file.bytes} bytes, and a batch takes {MOST_BYTES}. "
                "Split it.",
                param="input_file_id",
            )
        return file
