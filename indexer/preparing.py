"""A document read and cut, as far as that is needed to know what is to be written of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from indexer.documents.fetching import DocumentFetching
from indexer.documents.holding import DocumentHolding
from indexer.documents.planning import PlannedDocument, plan_document
from indexer.documents.settling import DocumentSettling
from indexer.reading.document_reader import DocumentReader
from indexer.reading.work import (
    DocumentReading,
    LeftOutDocument,
    ReadDocument,
    UnchangedDocument,
    UncutDocument,
)
from indexer.stores.generation_keeping import WrittenGenerations
from indexer.stores.writing import StoreWriting
from shared.index.chunk import FinishedDocument, StoredChunk
from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.index.faults import DocumentFault
from shared.search.point import Scope


class DocumentPreparing:
    """Finds out what is to be written, and settles at once what needs no vectors."""

    def __init__(
        self,
        *,
        holding: DocumentHolding,
        indexing: DocumentIndexing,
        fetching: DocumentFetching,
        reader: DocumentReader,
        writing: StoreWriting,
        settling: DocumentSettling,
    ) -> None:
        self._holding = holding
        self._indexing = indexing
        self._fetching = fetching
        self._reader = reader
        self._writing = writing
        self._settling = settling

    async def prepare(
        self, document: Document, generations: WrittenGenerations
    ) -> PlannedDocument | None:
        """What is to be written of it; None where that is nothing, which is in the ledger then.

        Raises what the stores, the ledger and the place of its content raise.
        """
        generation = generations.target
        current = await self._current(document, generation)
        # From the moment when something of it is planned to its end it has no digest.
        is_whole = document.generation == generation and document.digest is not None
        reading = await self._read(document, is_whole=is_whole)
        match reading:
            case ReadDocument():
                beside = await self._beside(document, generations, reading)
                return plan_document(document, generation, reading, current, beside=beside)
            case UnchangedDocument():
                await self._unchanged(document, generations, current, reading)
            case LeftOutDocument():
                await self._settling.leave_out(document, reading)
            case UncutDocument(why):
                await self._settling.fail(document, DocumentFault.UNREADABLE, why)
            case _:
                assert_never(reading)
        return None

    async def _read(self, document: Document, *, is_whole: bool) -> DocumentReading:
        known = document.digest if is_whole else None
        wanted = await self._fetching.wanted(document, known_digest=known)
        return wanted if isinstance(wanted, LeftOutDocument) else await self._reader.read(wanted)

    async def _current(self, document: Document, generation: str) -> dict[str, StoredChunk]:
        # Of what is claimed for the first time nothing can be there.
        is_new = document.ver == 1 and document.attempt == 1
        return {} if is_new else await self._indexing.current(document, generation)

    async def _beside(
        self, document: Document, generations: WrittenGenerations, reading: ReadDocument
    ) -> PlannedDocument | None:
        """What the generation lacks that is searched while another is built."""
        searched = generations.searched
        if searched is None:
            return None
        if document.generation == searched and document.digest == reading.digest:
            # It is read again for the other alone.
            await self._label_searched(document, searched)
            return None
        current = await self._current(document, searched)
        by_words = not generations.has_models
        return plan_document(
            document, searched, reading, current, is_beside=True, by_words=by_words
        )

    async def _label_searched(self, document: Document, searched: str) -> None:
        if document.relabel and self._holding.may_write(document):
            written = await self._indexing.written(document, searched)
            scope = Scope(searched, document.tenant_id)
            await self._writing.label(document, scope, [*written], is_beside=True)

    async def _unchanged(
        self,
        document: Document,
        generations: WrittenGenerations,
        current: Mapping[str, StoredChunk],
        reading: UnchangedDocument,
    ) -> None:
        """What it says is in the stores as it is; they get its labels, for these may be new."""
        if not self._holding.may_write(document):
            await self._holding.give_back([document])
            return
        generation, tenant_id = generations.target, document.tenant_id
        await self._writing.label(document, Scope(generation, tenant_id), [*current])
        if generations.searched is not None:
            await self._label_searched(document, generations.searched)
        finished = FinishedDocument(
            generation=generation,
            digest=reading.digest,
            size_bytes=reading.size_bytes,
            modified_ns=reading.modified_ns,
            language=document.language,
            usage_bytes=document.usage_bytes,
        )
        await self._settling.finish([(document, finished)])
