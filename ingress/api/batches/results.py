"""The results of a batch: from its file, or from the ledger while there is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ingress.api.batches.batch_door import BatchDoor
from ingress.api.files.files import pieces_of_file
from ingress.api.http.error_answer import Header
from ingress.api.http.exchange import Exchange
from ingress.api.http.wire import Disconnected
from ingress.patience import Patience
from shared.batches.batch import Batch
from shared.batches.items import BatchItems
from shared.batches.result_lines import ResultKind, result_lines
from shared.batches.state import BatchSurface
from shared.errors import ForebayError
from shared.files.content_store import ContentStore
from shared.files.file_catalogue import FileCatalogue
from shared.telemetry.logs import get_logger


class Results:
    """Sends to its tenant the lines of a batch that have ended by now."""

    def __init__(self, batches: BatchDoor, files: FileCatalogue, store: ContentStore) -> None:
        self._batches = batches
        self._pieces = ResultPieces(batches.items, files, store, batches.patience)

    async def answer(self, exchange: Exchange, surface: BatchSurface, kind: ResultKind) -> None:
        """What there is of one kind; raises NotFound for the batch, LedgerUnavailable."""
        _, found = await self._batches.find(exchange, surface)
        await self._pieces.answer(exchange, found, kind)


class ResultPieces:
    """Sends the lines of what has ended by now, each as the file of the batch will have it."""

    def __init__(
        self, items: BatchItems, files: FileCatalogue, store: ContentStore, patience: Patience
    ) -> None:
        self._items = items
        self._files = files
        self._store = store
        self._patience = patience
        self._log = get_logger(__name__)

    async def answer(
        self, exchange: Exchange, found: Batch, kind: ResultKind, headers: Sequence[Header] = ()
    ) -> None:
        """What there is of one kind; raises LedgerUnavailable."""
        is_output = kind is ResultKind.OUTPUT
        file_id = found.output_file_id if is_output else found.error_file_id
        if file_id is not None:
            finding = self._files.find(file_id, tenant_id=found.tenant_id)
            file = await self._patience.wait(finding)
            if file is not None:
                pieces = pieces_of_file(file, self._store, self._patience)
                await exchange.answer_pieces(pieces, size=file.bytes, headers=headers)
                return
        await exchange.answer_pieces(self._from_ledger(found, kind), size=None, headers=headers)

    async def _from_ledger(self, of: Batch, kind: ResultKind) -> AsyncIterator[bytes]:
        try:
            async for piece in result_lines(of, self._items, kind):
                yield piece
        except ForebayError as error:
            # Cut off rather than ended: nobody may take what was sent for the whole.
            self._log.warning("results cut off", batch=of.id, reason=error.message)
            raise Disconnected from error
