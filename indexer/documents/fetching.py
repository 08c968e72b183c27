"""Where the content of a document is: a file below a root, what was posted, what was uploaded."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final

import msgspec

from indexer.reading.work import ContentToRead, DocumentToRead, FileToRead, LeftOutDocument
from indexer.sources.found import SkipReason
from indexer.sources.opening import root_of
from indexer.splitting.sized import ChunkSizes
from shared.errors import NotFound
from shared.files.content_store import ContentStore, read_pieces
from shared.files.file_catalogue import FileCatalogue
from shared.index.document import FILES, POSTED, Document
from shared.index.documents.reading import Documents

_GONE: Final = "Its content is not there any more."


class DocumentFetching:
    """Says what is to be read of a document, and fetches what only the ledger has."""

    def __init__(
        self,
        documents: Documents,
        files: FileCatalogue,
        contents: ContentStore,
        *,
        limit_bytes: int,
    ) -> None:
        self._documents = documents
        self._files = files
        self._contents = contents
        self._limit_bytes = limit_bytes

    async def wanted(
        self, document: Document, *, known_digest: str | None
    ) -> DocumentToRead | LeftOutDocument:
        """What to read; raises NotFound where it is gone, and LedgerUnavailable."""
        if document.source == POSTED:
            body = await self._documents.body(document)
            if body is None:
                raise NotFound(_GONE)
            return ContentToRead(document.path, body, known_digest, _sizes(document))
        if document.source == FILES:
            return await self._uploaded(document, known_digest)
        root = root_of(document.source)
        return FileToRead(document.path, str(root), self._limit_bytes, known_digest)

    async def _uploaded(
        self, document: Document, known_digest: str | None
    ) -> ContentToRead | LeftOutDocument:
        tenant_id = document.tenant_id
        file = await self._files.find(document.file_id or document.id, tenant_id=tenant_id)
        if file is None:
            raise NotFound(_GONE)
        if file.bytes > self._limit_bytes:
            why = f"It has {file.bytes:,} bytes, and {self._limit_bytes:,} are read at the most."
            return LeftOutDocument(SkipReason.TOO_LARGE.value, why)
        pieces = await read_pieces(self._contents, file.content_id, file.bytes)
        if pieces is None:
            raise NotFound(_GONE)
        path = document.path if PurePosixPath(document.path).suffix else file.filename
        return ContentToRead(path, b"".join(pieces), known_digest, _sizes(document))


def _sizes(document: Document) -> ChunkSizes | None:
    return msgspec.convert(document.chunking, ChunkSizes) if document.chunking else None
