"""What becomes of one document, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Final, TypeVar

from indexer.documents.holding import DocumentHolding
from indexer.reading.work import LeftOutDocument
from indexer.sources.found import SkipReason
from shared.errors import InvalidRequest, NotFound, Unavailable
from shared.index.chunk import FinishedDocument
from shared.index.document import Document
from shared.index.documents.indexing import DocumentIndexing
from shared.index.faults import DocumentFault
from shared.search.vector_store import StoreRefused
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

_Made = TypeVar("_Made")
_AWAY_SECONDS: Final = 5.0
"""Until a document is tried again that a server was away for."""
_CHANGING_SECONDS: Final = 2.0
_MOST_EXCUSES: Final = 5
"""A file that is written to each time it is read is left to the next scan after so many."""
_OUR_FAULT: Final = "A fault of Forebay's own: the indexer's log has it."


class DocumentSettling:
    """Ends the work on a document that is held, or gives it back; raises LedgerUnavailable.

    Whose hold is lost writes nothing: the document is given back, for whoever has it next.
    """

    def __init__(
        self, holding: DocumentHolding, indexing: DocumentIndexing, metrics: Metrics
    ) -> None:
        self._holding = holding
        self._indexing = indexing
        self._outcomes = metrics.indexed_documents
        self._log = get_logger(__name__)

    async def finish(self, finished: Sequence[tuple[Document, FinishedDocument]]) -> None:
        """They are in the stores."""
        written = await self._indexing.finish(finished)
        for document, _ in finished:
            is_written = (document.collection_id, document.id) in written
            await self._settle(document, "completed", is_written=is_written)

    async def fail(self, document: Document, fault: DocumentFault, why: str) -> None:
        """It cannot be indexed."""
        is_written = await self._indexing.fail(document, fault.value, why)
        await self._settle(document, "failed", is_written=is_written)

    async def leave_out(self, document: Document, left_out: LeftOutDocument) -> None:
        """It is not to be indexed; one that changes while it is read is tried again soon."""
        is_changing = left_out.reason == SkipReason.CHANGING
        if is_changing and document.excused < _MOST_EXCUSES:
            await self._put_off([document], left_out.why, _CHANGING_SECONDS)
            return
        is_written = await self._indexing.skip(document, left_out.reason, left_out.why)
        await self._settle(document, "skipped", is_written=is_written)

    async def put_off(self, documents: Sequence[Document], error: Unavailable) -> None:
        """A server is away: later, uncounted."""
        self._log.warning("documents_put_off", documents=len(documents), code=error.code)
        seconds = error.retry_after_seconds or _AWAY_SECONDS
        await self._put_off(documents, error.message, seconds)

    async def _put_off(self, documents: Sequence[Document], why: str, seconds: float) -> None:
        await self._holding.put_off(documents, why, seconds)
        self._outcomes.labels("put_off").inc(len(documents))

    async def alone(self, document: Document, work: Coroutine[Any, Any, _Made]) -> _Made | None:
        """The work of one document; what goes wrong with it stays with it."""
        try:
            return await work
        except Unavailable as error:
            await self.put_off([document], error)
        except NotFound as error:
            await self.fail(document, DocumentFault.CONTENT_GONE, error.message)
        except (InvalidRequest, StoreRefused) as error:
            await self.fail(document, DocumentFault.STORE_REFUSED, error.message)
        except Exception:  # noqa: BLE001 - the border of one document
            self._log.exception("document_failed", document_id=document.id)
            await self.fail(document, DocumentFault.INTERNAL_ERROR, _OUR_FAULT)
        return None

    async def _settle(self, document: Document, outcome: str, *, is_written: bool) -> None:
        if is_written:
            self._holding.settled(document)
            self._outcomes.labels(outcome).inc()
        else:
            await self._holding.give_back([document])
