"""/v1/files: upload, list, read, delete. Another tenant's files do not exist."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from typing import Final
from urllib.parse import quote

import msgspec

from ingress.api.door import Door
from ingress.api.files.file_object import DeletedFile, file_list, file_object
from ingress.api.files.form import read_form
from ingress.api.files.incoming import IncomingFile
from ingress.api.files.label import FIELDS, read_purpose
from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Exchange
from ingress.api.http.query import is_newest_first, known_query, page_limit, place_in_list
from ingress.api.http.wire import Disconnected
from ingress.authentication import Caller
from ingress.patience import Patience
from shared.errors import Forbidden, NotFound
from shared.files.content_store import ContentStore
from shared.files.file_catalogue import FileCatalogue
from shared.files.stored_file import StoredFile
from shared.files.upload import Uploads, too_large
from shared.index.documents.of_files import FileDocuments
from shared.telemetry.logs import get_logger

_AROUND_FILE_BYTES: Final = 1_048_576
"""What a form may be larger than the file in it."""
_QUERY: Final = frozenset({"purpose", "limit", "order", "after"})
_LARGEST_PAGE: Final = 10_000
_AT_ONCE: Final = 500
"""Files of one statement: a large page must not hold the loop."""
_ID: Final = re.compile("file-[0-9a-f]{32}")
_UNTRUSTED: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox"),
)


class Files:
    """Files of the caller's tenant. Uploads and downloads pass through in pieces.

    Each call of the ledger has as long as the ledger has for a statement: whoever sends a file can
    wait for a busy disk.
    """

    def __init__(
        self,
        door: Door,
        uploads: Uploads,
        catalogue: FileCatalogue,
        store: ContentStore,
        documents: FileDocuments,
        *,
        timeout_seconds: float,
    ) -> None:
        self._door = door
        self._uploads = uploads
        self._catalogue = catalogue
        self._store = store
        self._documents = documents
        self._patience = Patience(timeout_seconds)

    async def create(self, exchange: Exchange) -> None:
        """Keep a file that comes in a form. One that is cut off leaves nothing behind."""
        caller = await self._door.caller(exchange)
        limit = self._uploads.limit_bytes
        if exchange.declared_bytes > limit + _AROUND_FILE_BYTES:
            raise too_large(limit)
        incoming = IncomingFile(self._uploads, self._patience, caller.tenant.id)
        form = read_form(exchange, fields=FIELDS, limit_bytes=limit + _AROUND_FILE_BYTES)
        try:
            async for part, piece in form:
                await incoming.take(part, piece)
            file = await incoming.finish()
        except Exception:
            await incoming.abandon()
            raise
        await exchange.answer(200, msgspec.json.encode(file_object(file)))

    async def list(self, exchange: Exchange) -> None:
        """A page of files, the newest first."""
        caller = await self._owner(exchange)
        query = known_query(exchange, _QUERY)
        limit = page_limit(query, usual=_LARGEST_PAGE, largest=_LARGEST_PAGE)
        files = await self._page(caller, query, limit=limit + 1)
        page = file_list(files[:limit], has_more=len(files) > limit)
        await exchange.answer(200, msgspec.json.encode(page))

    async def retrieve(self, exchange: Exchange) -> None:
        """One file."""
        file = await self._find(exchange)
        await exchange.answer(200, msgspec.json.encode(file_object(file)))

    async def content(self, exchange: Exchange) -> None:
        """The file's bytes as they were sent."""
        file = await self._find(exchange)
        named = f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}"
        await exchange.answer_pieces(
            pieces_of_file(file, self._store, self._patience),
            size=file.bytes,
            headers=[(b"content-disposition", named.encode()), *_UNTRUSTED],
        )

    async def delete(self, exchange: Exchange) -> None:
        """Forget a file; no collection has it from here on."""
        caller = await self._owner(exchange)
        file_id = _file_id(exchange)
        # First: who is cut off here and asks again finds the file, and ends what was begun.
        await self._patience.wait(self._documents.remove(caller.tenant.id, file_id))
        deleting = self._catalogue.delete(file_id, tenant_id=caller.tenant.id)
        if not await self._patience.wait(deleting):
            raise _unknown(file_id)
        # And of what was put in meanwhile: from here on nobody puts it in.
        await self._patience.wait(self._documents.remove(caller.tenant.id, file_id))
        await exchange.answer(200, msgspec.json.encode(DeletedFile(file_id)))

    async def _owner(self, exchange: Exchange) -> Caller:
        """Who asks, and may see all files: they name no readers, as documents do."""
        caller = await self._door.caller(exchange)
        if caller.principals is not None:
            raise Forbidden(
                "This key sees the documents of some principals, and no files. Use a key made "
                "without --principal and --delegates."
            )
        return caller

    async def _find(self, exchange: Exchange) -> StoredFile:
        caller = await self._owner(exchange)
        file_id = _file_id(exchange)
        finding = self._catalogue.find(file_id, tenant_id=caller.tenant.id)
        file = await self._patience.wait(finding)
        if file is None:
            raise _unknown(file_id)
        return file

    async def _page(
        self, caller: Caller, query: dict[str, str], *, limit: int
    ) -> Sequence[StoredFile]:
        purpose = read_purpose(query["purpose"]) if "purpose" in query else None
        newest_first = is_newest_first(query)
        after = place_in_list(query, "after", _ID, of="a file")
        files: list[StoredFile] = []
        while len(files) < limit:
            reading = self._catalogue.list(
                caller.tenant.id,
                purpose=purpose,
                after=files[-1].id if files else after,
                newest_first=newest_first,
                limit=min(_AT_ONCE, limit - len(files)),
            )
            found = await self._patience.wait(reading)
            if not found:
                break
            files += found
        return files


async def pieces_of_file(
    file: StoredFile, store: ContentStore, patience: Patience
) -> AsyncIterator[bytes]:
    """Its content; raises Disconnected where that is not whole, and LedgerUnavailable."""
    sent = ordinal = 0
    while sent < file.bytes:
        chunk = await patience.wait(store.read(file.content_id, ordinal))
        if chunk is None:
            # Cut off rather than ended: nobody may take what was sent for the whole.
            get_logger(__name__).error("content_incomplete", file=file.id, sent_bytes=sent)
            raise Disconnected
        yield chunk
        sent += len(chunk)
        ordinal += 1


def _file_id(exchange: Exchange) -> str:
    file_id = exchange.parameters["file_id"]
    if not _ID.fullmatch(file_id):
        raise _unknown(file_id)
    return file_id


def _unknown(file_id: str) -> NotFound:
    return NotFound(f"There is no file '{file_id[:64]}'.", param="file_id")
