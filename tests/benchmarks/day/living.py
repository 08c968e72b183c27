"""One day, lived by a worker: what it cost, and which answers were wrong."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import Row, func, select

from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane, WakeUp
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.messages.tenant import Tenant
from shared.messages.turn_report import CacheKind, decode_report
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.tables import message
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import build_publisher
from shared.telemetry.metrics import Metrics
from tests.benchmarks.day.arms import Arm
from tests.benchmarks.day.generator import DayMessage
from tests.benchmarks.day.provider import LARGE, SMALL, TruthfulProvider
from tests.benchmarks.ground.forebay import opened_ledger, settings_of
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Ground

AT_ONCE: Final = 4
"""Turns at once: a day is long, so most messages find the earlier ones answered."""
_GIVE_UP_SECONDS: Final = 300.0
_GROUP: Final = 250


class Lived(msgspec.Struct, kw_only=True):
    """What one arm made of the day."""

    arm: str
    messages: int
    dollars: Decimal
    calls: int
    exact_hits: int = 0
    semantic_hits: int = 0
    shared_flights: int = 0
    mistaken: list[tuple[str, str]] = []
    """What was asked, and the question whose answer was given instead."""
    hard_to_small: int = 0
    """Hard messages that the small model answered."""
    easy_to_large: int = 0

    @property
    def wrong_answers(self) -> int:
        """Answers to another question than the one that was asked."""
        return len(self.mistaken)

    @property
    def hits(self) -> int:
        """Messages for which no provider was called."""
        return self.exact_hits + self.semantic_hits + self.shared_flights


def live(arm: Arm, day: Sequence[DayMessage], ground: Ground) -> Lived:
    """The day under the arm's settings, on fresh ground; raises AssertionError."""
    intents = {each.text: each.intent for each in day}
    with TruthfulProvider(intents) as provider:
        worker = Program(
            ["-m", "deploy.cli", "worker", "--concurrency", str(AT_ONCE)],
            log=ground.folder / "worker.log",
            environment={**ground.environment, **arm.environment(provider.url)},
        )
        with worker:
            rows = asyncio.run(_post_and_wait(arm, day, ground, worker))
        return _judge(arm, day, rows, calls=provider.calls)


async def _post_and_wait(
    arm: Arm, day: Sequence[DayMessage], ground: Ground, worker: Program
) -> list[Row[tuple[object, ...]]]:
    async with opened_ledger(ground) as (database, tenant):
        records = [_record(each, tenant, arm) for each in day]
        await _post(records, ground, database)
        await _until_answered(len(records), database, worker)
        return await _rows(records, database)


async def _post(records: list[MessageRecord], ground: Ground, database: Database) -> None:
    settings = settings_of(ground)
    await asyncio.to_thread(declare_topology, settings.broker)
    publisher = build_publisher(settings.broker, Metrics())
    await publisher.start()
    ledger = MessageLedger(database, settings.ledger, SystemClock(), Metrics())
    for first in range(0, len(records), _GROUP):
        group = records[first : first + _GROUP]
        await asyncio.gather(*[ledger.accept(record) for record in group])
        await publisher.publish(
            [WakeUp(record.id, record.lane, record.deadline, {}) for record in group]
        )
    await ledger.close()
    await publisher.close()


async def _until_answered(count: int, database: Database, worker: Program) -> None:
    query = select(func.count()).where(message.c.state == ResponseState.COMPLETED)
    give_up_at = time.monotonic() + _GIVE_UP_SECONDS
    answered = -1
    while answered < count:
        assert time.monotonic() < give_up_at, f"{answered} answered:\n{worker.log_text()[-3000:]}"
        await asyncio.sleep(0.2)
        async with database.relaxed.connect() as connection:
            answered = await connection.scalar(query) or 0


async def _rows(records: list[MessageRecord], database: Database) -> list[Row[tuple[object, ...]]]:
    columns = message.c
    query = select(columns.id, columns.output_text, columns.cost, columns.report, columns.model)
    async with database.relaxed.connect() as connection:
        found = {row.id: row for row in await connection.execute(query)}
    return [found[record.id] for record in records]


def _judge(
    arm: Arm, day: Sequence[DayMessage], rows: Sequence[Row[tuple[object, ...]]], *, calls: int
) -> Lived:
    kinds: Counter[CacheKind | None] = Counter()
    asked_for = {each.intent.answer: each.intent.key for each in day}
    lived = Lived(arm=arm.name, messages=len(day), dollars=Decimal(0), calls=calls)
    for asked, row in zip(day, rows, strict=True):
        report = decode_report(row.report)
        kinds[report.cache.kind if report and report.cache else None] += 1
        lived.dollars += row.cost
        if row.output_text != asked.intent.answer:
            lived.mistaken.append((asked.text, asked_for.get(row.output_text, row.output_text)))
        lived.hard_to_small += asked.intent.hard and row.model == SMALL
        lived.easy_to_large += not asked.intent.hard and row.model == LARGE
    lived.exact_hits = kinds[CacheKind.EXACT]
    lived.semantic_hits = kinds[CacheKind.SEMANTIC]
    lived.shared_flights = kinds[CacheKind.SINGLE_FLIGHT]
    return lived


def _record(asked: DayMessage, tenant: Tenant, arm: Arm) -> MessageRecord:
    now, waits = SystemClock().now(), arm.flex and asked.can_wait
    body = {"model": "auto", "background": True, "input": asked.text}
    return MessageRecord(
        id=new_response_id(),
        tenant_id=tenant.id,
        lane=Lane.BATCH if waits else Lane.STANDARD,
        body=msgspec.json.encode(body).decode(),
        accepted_at=now,
        deadline=now + timedelta(hours=24 if waits else 1),
        estimated_tokens=500,
    )
