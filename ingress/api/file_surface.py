"""All of the HTTP surface that is about files, and about the batches that are made of them."""

from __future__ import annotations

import msgspec
from redis.asyncio import Redis

from ingress.api.batches.batch_door import BatchDoor
from ingress.api.batches.batches import Batches
from ingress.api.batches.creation import BatchCreation
from ingress.api.batches.forecast import Forecasts
from ingress.api.batches.lines import LinesOfBatches
from ingress.api.batches.operations import batch_operations
from ingress.api.batches.pace import BatchPace
from ingress.api.batches.results import Results
from ingress.api.door import Door
from ingress.api.files.files import Files
from ingress.api.files.operations import file_operations
from ingress.api.message_batches.message_batches import MessageBatches
from ingress.api.message_batches.operations import message_batch_operations
from ingress.api.reference.operation import Operation
from ingress.patience import Patience
from shared.batches.batch_budget import BatchBudget
from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.line_cancelling import LineCancelling
from shared.clock import Clock
from shared.costs.prices import open_prices
from shared.costs.till import open_till
from shared.dispatch.flows import FlowBoard
from shared.files.content_store import ContentStore
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.upload import Uploads
from shared.index.documents.of_files import FileDocuments
from shared.persistence.engine import Database
from shared.persistence.ledger.held.slot_counts import SlotCounts
from shared.persistence.ledger.lane_load import LaneLoads
from shared.redis.guarded import GuardedRedis
from shared.reservations.reservations import Reservations
from shared.settings import Settings


class FileSurface:
    """Files and batches behind a door, on its own connections."""

    def __init__(
        self, door: Door, database: Database, redis: Redis, settings: Settings, clock: Clock
    ) -> None:
        patience = Patience(settings.ledger.timeout_seconds)
        batches = BatchDoor(
            door=door,
            catalogue=BatchCatalogue(database, clock),
            items=BatchItems(database),
            patience=patience,
            clock=clock,
        )
        self._redis = GuardedRedis(redis, clock)
        files, store = FileCatalogue(database, clock), DatabaseContent(database)
        self._reservations = Reservations(redis, clock)
        self._till = open_till(settings, database, redis, self._reservations, clock)
        creation = BatchCreation(
            batches.catalogue,
            self._forecasts(store, database, settings, clock, patience),
            BatchBudget(database, self._till, clock),
            self._till,
            settings.limits,
            patience,
        )
        results = Results(batches, files, store)
        uploads = Uploads(
            ContentDrafts(database, settings.files, clock), store, settings.files, clock
        )
        self._files = Files(
            door,
            uploads,
            files,
            store,
            FileDocuments(database, clock),
            timeout_seconds=settings.ledger.timeout_seconds,
        )
        self._batches = Batches(batches, files, creation, results)
        self._lines = LinesOfBatches(batches, LineCancelling(database))
        taking = msgspec.structs.replace(
            settings.files, limit_bytes=settings.batches.body_limit_bytes
        )
        bodies = Uploads(ContentDrafts(database, taking, clock), store, taking, clock)
        self._messages = MessageBatches(batches, files, bodies, creation, results)

    def _forecasts(
        self,
        store: ContentStore,
        database: Database,
        settings: Settings,
        clock: Clock,
        patience: Patience,
    ) -> Forecasts:
        board, slots = FlowBoard(self._redis), SlotCounts(database, clock)
        pace = BatchPace(LaneLoads(database, clock), slots, board, patience)
        prices = open_prices(settings.costs.prices, settings.providers)
        return Forecasts(store, pace, prices, settings, clock, patience)

    def operations(self) -> list[Operation]:
        """Their routes."""
        return [
            *file_operations(self._files),
            *batch_operations(self._batches, self._lines),
            *message_batch_operations(self._messages),
        ]

    async def close(self) -> None:
        """Stop what is being read."""
        await self._till.close()
        await self._reservations.close()
        await self._redis.close()
