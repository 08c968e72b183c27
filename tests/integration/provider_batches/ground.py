"""The executor before a scripted provider, on either database, with a clock that is moved."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import Row, select

from deploy.scripted_provider.provider import ScriptedProvider
from shared.batches.provider_batch import ProviderBatch, batch_of_row
from shared.batches.provider_batches import ProviderBatchBook
from shared.batches.provider_tables import provider_batch
from shared.clock import ManualClock, SystemClock
from shared.costs.prices import Prices
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.statements import reading
from shared.persistence.tables import attempt
from shared.replies.reply_stream import ReplyStream
from shared.settings import Settings
from shared.settings.costs import PriceSettings
from shared.settings.deployment import ProviderBatchSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.validation import ValidationSettings
from shared.settings.watching.variants import VariantSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import SilentTracing
from tests.queued_message import queued_message
from workers.batching.provider_batches.batched_turns import BatchedTurns
from workers.batching.provider_batches.executor import ProviderBatches
from workers.building.chain import AnswerParts
from workers.building.provider_batches import build_executor
from workers.building.recall import build_recall, open_files
from workers.providers.building import build_chain
from workers.providers.wire.http.connections import ProviderConnections
from workers.steps.judging import Judging
from workers.steps.meter import Meter
from workers.steps.remember import Remember
from workers.steps.vary import Vary
from workers.validation.building import build_guardrail
from workers.validation.guardrail import Guardrail

PRICE = PriceSettings(
    model="scripted",
    input_per_million=Decimal(1_000),
    output_per_million=Decimal(10_000),
    batch_share=Decimal("0.5"),
)
BATCH = ProviderBatchSettings(fill_seconds=10.0, poll_seconds=10.0, expected_seconds=600.0)
DAY_SECONDS = 86_400.0


@dataclass(kw_only=True)
class BatchGround:
    """What an executor stands on; each `executor()` is another process."""

    database: Database
    ledger: MessageLedger
    redis: Redis
    connections: ProviderConnections
    scripted: ScriptedProvider
    kind: ProviderKind = ProviderKind.OPENAI_COMPATIBLE
    batch: ProviderBatchSettings = BATCH
    clock: ManualClock = field(default_factory=lambda: ManualClock(SystemClock().now()))
    metrics: Metrics = field(default_factory=Metrics)
    variants: dict[str, VariantSettings] = field(default_factory=dict)
    guardrail: Guardrail = field(default_factory=lambda: build_guardrail(ValidationSettings()))

    @property
    def provider(self) -> ProviderSettings:
        return ProviderSettings(
            name="first",
            kind=self.kind,
            base_url=self.scripted.openai_url,
            model="scripted",
            batch=self.batch,
        )

    @property
    def book(self) -> ProviderBatchBook:
        return ProviderBatchBook(self.database, self.clock)

    def executor(self, book: Any = None, remember: Any = None) -> ProviderBatches:
        settings = Settings(providers=(self.provider,))
        chain = build_chain([self.provider], self.connections, clock=self.clock)
        remember = remember or self.remember()
        parts = AnswerParts(
            settings=settings,
            database=self.database,
            replies=ReplyStream(self.redis, ttl_seconds=60),
            judging=Judging(self.guardrail, self.metrics),
            meter=Meter(Prices([PRICE], [self.provider]), self.metrics),
            metrics=self.metrics,
            clock=self.clock,
        )
        recall = build_recall(
            settings,
            self.database,
            self.redis,
            chain,
            metrics=self.metrics,
            tracing=SilentTracing(),
            clock=self.clock,
        )
        steps = [Vary(self.variants), recall] if self.variants else [recall]
        turns = BatchedTurns(
            steps,
            steps,
            answering=parts.step,
            files=open_files(self.database, self.clock),
            meter=parts.meter,
            remember=remember,
            told=(),
            clock=self.clock,
        )
        return build_executor(
            [self.provider],
            self.connections,
            book or self.book,
            turns,
            metrics=self.metrics,
            clock=self.clock,
        )

    def remember(self) -> Remember:
        return Remember(self.ledger, patience_seconds=60.0, metrics=self.metrics)

    async def accept(self, *texts: str, seconds: float = DAY_SECONDS, **fields: Any) -> list[str]:
        """Messages of the batch lane; their ids."""
        now, ids = self.clock.now(), []
        body = fields.pop("body", {})
        for text in texts:
            record = queued_message(
                id=new_response_id(),
                lane=Lane.BATCH,
                body=json.dumps({"input": text, **body}),
                accepted_at=now,
                deadline=now + timedelta(seconds=seconds),
                **fields,
            )
            await self.ledger.accept(record)
            ids.append(record.id)
        return ids

    async def rounds(
        self, executor: ProviderBatches, count: int = 1, *, seconds: float = 20.0
    ) -> None:
        """The clock is moved before each."""
        for _ in range(count):
            self.clock.advance(seconds)
            await executor()
            await executor.idle()

    async def records(self, ids: Sequence[str]) -> list[MessageRecord]:
        found = [await self.ledger.find(each) for each in ids]
        return [each for each in found if each is not None]

    async def states(self, ids: Sequence[str]) -> set[ResponseState]:
        return {each.state for each in await self.records(ids)}

    async def attempts(self, ids: Sequence[str]) -> list[Row[Any]]:
        query = select(attempt).where(attempt.c.message_id.in_(ids))
        async with reading(self.database.relaxed) as connection:
            return [*await connection.execute(query)]

    async def batches(self) -> list[ProviderBatch]:
        async with reading(self.database.relaxed) as connection:
            rows = await connection.execute(
                select(provider_batch).order_by(provider_batch.c.created_at)
            )
            return [batch_of_row(row) for row in rows]

    def items(self, end: str) -> float:
        """How many results ended so."""
        counted = self.metrics.registry.get_sample_value(
            "forebay_provider_batch_items_total", {"provider": "first", "end": end}
        )
        return counted or 0.0
