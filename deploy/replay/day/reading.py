"""A day out of the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from statistics import median
from typing import Any, Final

from msgspec.structs import replace
from sqlalchemy import select

from deploy.replay.day.questions import Questions
from deploy.replay.day.recorded_day import (
    EPOCH,
    RecordedAttempt,
    RecordedDay,
    RecordedMessage,
)
from shared.clock import SystemClock
from shared.costs.price import nano_dollars
from shared.feedback.tables import feedback
from shared.identifiers import RESPONSE, first_id
from shared.messages.record import MessageRecord
from shared.messages.turn_report import decode_report
from shared.persistence.engine import Database
from shared.persistence.statements import RECORD_COLUMNS, readable, reading, record_of
from shared.persistence.tables import attempt, message, worker_lease
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings

_AT_ONCE: Final = 2_000
_STRETCH: Final = 900.0
_ATTEMPT: Final = (
    attempt.c.message_id,
    attempt.c.claim,
    attempt.c.provider,
    attempt.c.model,
    attempt.c.error_class,
    attempt.c.started_at,
    attempt.c.latency_seconds,
    attempt.c.input_tokens,
    attempt.c.cached_tokens,
    attempt.c.output_tokens,
    attempt.c.cost,
)


async def read_day(
    database: Database,
    settings: Settings,
    *,
    since: datetime,
    until: datetime,
    tell: Callable[[int], None] | None = None,
) -> RecordedDay:
    """What was accepted between both, page by page; `tell` hears how many were read so far.

    Raises LedgerUnavailable.
    """
    questions = Questions(settings)
    messages: list[RecordedMessage] = []
    verdicts: dict[str, bool] = {}
    workers: defaultdict[int, set[str]] = defaultdict(set)
    last, end = first_id(RESPONSE, since), first_id(RESPONSE, until)
    while rows := await _page(database, last, end):
        last = rows[-1].id
        attempts = await _attempts_of(database, rows[0].id, last)
        verdicts |= (judged := await _verdicts_on_stored(database, rows[0].id, last))
        for record in rows:
            messages.append(
                _recorded(
                    record,
                    attempts.get(record.id, []),
                    questions,
                    is_false_hit=judged.get(record.id, False),
                )
            )
            if record.claimed_by and record.claimed_at:
                workers[int(_seconds(record.claimed_at) // _STRETCH)].add(record.claimed_by)
        if tell is not None:
            tell(len(messages))
    messages.sort(key=lambda each: each.at)
    tenants = await TenantRepository(database, SystemClock()).all()
    return RecordedDay(
        began=_seconds(since),
        ended=_seconds(until),
        messages=_with_sources(messages),
        slots=await _slots(database, settings, workers.values()),
        plans={each.id: each.plan for each in tenants if each.plan is not None},
        limits=settings.limits,
        false_hits_known=bool(verdicts),
    )


async def _page(database: Database, after: str, before: str) -> list[MessageRecord]:
    page = (
        select(*RECORD_COLUMNS)
        .where(message.c.id > after, message.c.id < before)
        .order_by(message.c.id)
        .limit(_AT_ONCE)
    )
    async with reading(database.relaxed) as connection:
        return [record_of(row) for row in readable(await connection.execute(page))]


async def _attempts_of(database: Database, first: str, last: str) -> dict[str, list[Any]]:
    found: defaultdict[str, list[Any]] = defaultdict(list)
    wanted = (
        select(*_ATTEMPT)
        .where(attempt.c.message_id >= first, attempt.c.message_id <= last)
        .order_by(attempt.c.message_id, attempt.c.claim, attempt.c.started_at)
    )
    async with reading(database.relaxed) as connection:
        for row in readable(await connection.execute(wanted)):
            found[row.message_id].append(row)
    return found


async def _verdicts_on_stored(database: Database, first: str, last: str) -> dict[str, bool]:
    """Of stored answers of which somebody said something: whether it was bad."""
    said = (
        select(feedback.c.response_id, feedback.c.is_negative)
        .where(feedback.c.response_id >= first, feedback.c.response_id <= last)
        .where(feedback.c.entry.is_not(None))
    )
    found: dict[str, bool] = {}
    async with reading(database.relaxed) as connection:
        for row in await connection.execute(said):
            found[row.response_id] = found.get(row.response_id, False) or row.is_negative
    return found


async def _slots(database: Database, settings: Settings, seen: Iterable[set[str]]) -> int:
    """Turns that all workers could hold at once: of those that claimed something in the same
    quarter of an hour, as they say it themselves or as the settings do."""
    async with reading(database.relaxed) as connection:
        told = select(worker_lease.c.worker, worker_lease.c.concurrency)
        offers = {row.worker: row.concurrency for row in await connection.execute(told)}
    usual = settings.worker.concurrency
    at_once = [sum(offers.get(each) or usual for each in some) for some in seen]
    return int(median(at_once)) if at_once else usual


def _recorded(
    record: MessageRecord, rows: list[Any], questions: Questions, *, is_false_hit: bool
) -> RecordedMessage:
    body = questions.body_of(record)
    report = decode_report(record.report)
    cache = report.cache if report else None
    own, beside = _calls(record, rows)
    at, claimed, over = (
        _seconds(record.accepted_at),
        None if record.claimed_at is None else _seconds(record.claimed_at),
        None if record.finished_at is None else _seconds(record.finished_at),
    )
    return RecordedMessage(
        id=record.id,
        tenant=record.tenant_id,
        user=record.user_id,
        lane=record.lane,
        at=at,
        deadline=_seconds(record.deadline),
        estimated_tokens=record.estimated_tokens,
        digest=bytes.fromhex(record.body_digest)[:16],
        prompt_bytes=len(record.body),
        max_output_tokens=body.max_output_tokens if body else None,
        asked=(body.model or "") if body else "",
        key=questions.key_of(record, body) if body else None,
        may_be_kept=questions.may_be_kept(record),
        waited=None if claimed is None else max(0.0, claimed - at),
        took=None if claimed is None or over is None else max(0.0, over - claimed),
        held=record.held_at is not None,
        released=None if record.released_at is None else _seconds(record.released_at) - at,
        state=record.state,
        attempts=own,
        cost_beside=beside,
        earlier=_earlier(record, rows),
        hit=cache.kind if cache else None,
        source=cache.response_id if cache else None,
        age=cache.age_seconds if cache else 0.0,
        similarity=cache.similarity if cache else None,
        is_false_hit=is_false_hit and cache is not None,
    )


def _calls(record: MessageRecord, rows: list[Any]) -> tuple[tuple[RecordedAttempt, ...], int]:
    """Those of its last turn, and what the others cost: of turns that gave way, and of what was
    called when the answer was there."""
    own, beside = [], 0
    for row in rows:
        is_late = record.finished_at is not None and row.started_at >= record.finished_at
        if record.claimed_at is None or row.claim != record.attempt or is_late:
            beside += nano_dollars(row.cost or Decimal(0))
            continue
        own.append(
            RecordedAttempt(
                row.provider,
                row.model,
                max(0.0, _seconds(row.started_at) - _seconds(record.claimed_at)),
                float(row.latency_seconds),
                row.error_class,
                row.input_tokens or 0,
                row.cached_tokens or 0,
                row.output_tokens or 0,
                None if row.cost is None else nano_dollars(row.cost),
            )
        )
    return tuple(own), beside


def _earlier(record: MessageRecord, rows: list[Any]) -> tuple[tuple[float, float], ...]:
    """Turns before the last one, as far as they called somebody."""
    turns: dict[int, tuple[float, float]] = {}
    for row in rows:
        if row.claim < record.attempt:
            began = _seconds(row.started_at) - _seconds(record.accepted_at)
            first, _ = turns.get(row.claim, (began, began))
            turns[row.claim] = (first, began + float(row.latency_seconds))
    return tuple(turns.values())


def _with_sources(messages: list[RecordedMessage]) -> list[RecordedMessage]:
    """Of a hit whose question has no key here both get one: the stored answer's message."""
    keys = Counter(each.source for each in messages if each.hit and each.key is None)
    return [
        replace(each, key=f"of {name}")
        if each.key is None and (name := each.source if each.hit else each.id) in keys
        else each
        for each in messages
    ]


def _seconds(at: datetime) -> float:
    return at.timestamp() - EPOCH
