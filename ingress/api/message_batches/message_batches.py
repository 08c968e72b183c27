"""/v1/messages/batches: ask for one, see how far it is, list, cancel and delete them; results."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import Final

import msgspec

from ingress.api.batches.batch_door import BatchDoor
from ingress.api.batches.creation import BatchCreation
from ingress.api.batches.results import Results
from ingress.api.batches.window import LONGEST_SECONDS
from ingress.api.http.exchange import Exchange
from ingress.api.http.query import known_query, page_limit, place_in_list
from ingress.api.http.request_headers import public_address, require_json
from ingress.api.message_batches.incoming_requests import IncomingRequests
from ingress.api.message_batches.message_batch import (
    DeletedMessageBatch,
    MessageBatch,
    message_batch,
    message_batch_list,
)
from shared.batches.batch import Batch, NewBatch
from shared.batches.result_lines import ResultKind
from shared.batches.state import BatchEndpoint, BatchSurface
from shared.errors import ForebayError, InvalidRequest
from shared.files.file_catalogue import FileCatalogue
from shared.files.stored_file import FileLabel, FilePurpose, StoredFile
from shared.files.upload import Uploads
from shared.identifiers import BATCH

_USUAL_PAGE: Final = 20
_LARGEST_PAGE: Final = 1_000
_IDS: Final = re.compile(f"{BATCH}_[0-9a-f]{{32}}")
_OURS: Final = BatchSurface.ANTHROPIC
_FILENAME: Final = "message-batch.jsonl"
_KEPT_LONGER: Final = timedelta(days=1)
_LIMIT: Final = "batches.body_limit_bytes"


class MessageBatches:
    """The same batches on the same road, in Anthropic's words; each surface has its own."""

    def __init__(
        self,
        batches: BatchDoor,
        files: FileCatalogue,
        uploads: Uploads,
        creation: BatchCreation,
        results: Results,
    ) -> None:
        self._batches = batches
        self._files = files
        self._uploads = uploads
        self._creation = creation
        self._results = results

    async def create(self, exchange: Exchange) -> None:
        """Ask for one. What is wrong with a request of it is told by its result."""
        door = self._batches.door
        caller = await door.caller(exchange)
        require_json(exchange)
        file = await self._kept(exchange, caller.tenant.id)
        new = NewBatch(
            tenant_id=caller.tenant.id,
            surface=_OURS,
            endpoint=BatchEndpoint.MESSAGES,
            content_id=file.content_id,
            input_bytes=file.bytes,
            window_seconds=LONGEST_SECONDS,
            principals=caller.principals,
        )
        try:
            made = await self._creation.create(new, caller.tenant)
        except ForebayError:
            await self._forget(file, caller.tenant.id)
            raise
        if made.created_at < file.created_at:  # the one that was asked for before has its own
            await self._forget(file, caller.tenant.id)
        await self._answer(exchange, made)

    async def list(self, exchange: Exchange) -> None:
        """A page of them, the newest first."""
        caller = await self._batches.door.caller(exchange)
        query = known_query(exchange, {"after_id", "before_id", "limit"})
        limit = page_limit(query, usual=_USUAL_PAGE, largest=_LARGEST_PAGE)
        after = place_in_list(query, "after_id", _IDS, of="a batch")
        before = place_in_list(query, "before_id", _IDS, of="a batch")
        if after and before:
            raise InvalidRequest("Give 'after_id' or 'before_id', not both.", param="before_id")
        listing = self._batches.catalogue.list(
            caller.tenant.id,
            surface=_OURS,
            after=after,
            before=before,
            seen_by=caller.principals,
            limit=limit + 1,
        )
        found = await self._batches.patience.wait(listing)
        has_more = len(found) > limit
        # One too many lies at the end that the page goes towards.
        shown = found[-limit:] if before else found[:limit]
        told = [await self._told(exchange, each) for each in shown]
        page = message_batch_list(told, has_more=has_more)
        await exchange.answer(200, msgspec.json.encode(page))

    async def retrieve(self, exchange: Exchange) -> None:
        """One batch."""
        _, found = await self._batches.find(exchange, _OURS)
        await self._answer(exchange, found)

    async def cancel(self, exchange: Exchange) -> None:
        """Begin nothing more of it; what was answered by then is in its results."""
        caller, found = await self._batches.find(exchange, _OURS)
        cancelling = self._batches.catalogue.cancel(found.id, tenant_id=caller.tenant.id)
        await self._answer(exchange, await self._batches.patience.wait(cancelling))

    async def results(self, exchange: Exchange) -> None:
        """A line for each request that has ended, in any order."""
        await self._results.answer(exchange, _OURS, ResultKind.OUTPUT)

    async def delete(self, exchange: Exchange) -> None:
        """Forget one that has ended, with its results."""
        caller, found = await self._batches.find(exchange, _OURS)
        deleting = self._batches.catalogue.delete(found.id, tenant_id=caller.tenant.id)
        await self._batches.patience.wait(deleting)
        await exchange.answer(200, msgspec.json.encode(DeletedMessageBatch(found.id)))

    async def _kept(self, exchange: Exchange, tenant_id: str) -> StoredFile:
        """Its requests as a file, which goes by itself; equal ones have the same content.

        One that is cut off or refused leaves nothing behind.
        """
        wait = self._batches.patience.wait
        upload, incoming = await wait(self._uploads.begin(tenant_id)), IncomingRequests()
        pieces = exchange.read_pieces(limit_bytes=self._uploads.limit_bytes, setting=_LIMIT)
        try:
            async for piece in pieces:
                if lines := b"".join(incoming.take(piece)):
                    await wait(upload.write(lines))
            incoming.finish()
        except Exception:
            with suppress(ForebayError):  # else it goes by itself
                await wait(upload.abandon())
            raise
        life = timedelta(seconds=LONGEST_SECONDS) + _KEPT_LONGER
        return await wait(upload.finish(FileLabel(_FILENAME, FilePurpose.BATCH, life)))

    async def _forget(self, file: StoredFile, tenant_id: str) -> None:
        with suppress(ForebayError):  # else it goes by itself
            await self._batches.patience.wait(self._files.delete(file.id, tenant_id=tenant_id))

    async def _answer(self, exchange: Exchange, batch: Batch) -> None:
        told = await self._told(exchange, batch)
        await exchange.answer(200, msgspec.json.encode(told))

    async def _told(self, exchange: Exchange, batch: Batch) -> MessageBatch:
        there = public_address(exchange, self._batches.door.settings.public_url)
        return message_batch(
            batch,
            *await self._batches.figures(batch),
            now=self._batches.clock.now(),
            results_url=f"{there}/v1/messages/batches/{batch.id}/results",
        )
