"""What the tests of the cache say again and again."""

from __future__ import annotations

from typing import Any

import msgspec

from shared.answer_cache.housekeeping import Housekeeping
from shared.answer_cache.stored_answer import CachePlace, place_of
from shared.messages.record import MessageRecord
from shared.messages.turn_report import CacheReport, decode_report
from tests.integration.workers.road import Road, eventually


def cache_report(record: MessageRecord) -> CacheReport | None:
    """What the response tells of the cache; None when a provider answered it."""
    report = decode_report(record.report)
    return None if report is None else report.cache


def hit(record: MessageRecord) -> CacheReport:
    """The same of a response that must be a hit."""
    found = cache_report(record)
    assert found is not None, record
    return found


def place(record: MessageRecord) -> CachePlace:
    """Where a hit came from."""
    found = place_of(record.tenant_id, hit(record).entry)
    assert found is not None
    return found


async def stored(road: Road, question: str, **changes: Any) -> MessageRecord:
    """Ask until it is a hit: the answer is stored a moment after the reply."""

    async def found() -> MessageRecord | None:
        record = await road.ended(await road.accept(question, **changes))
        return record if cache_report(record) else None

    await road.ended(await road.accept(question, **changes))
    return await eventually(found, "a hit")


async def poison(housekeeping: Housekeeping, redis: Any, where: CachePlace, text: str) -> None:
    """Put another text where an answer is stored, as nobody but a fault would."""
    kept = await housekeeping.show(where)
    assert kept is not None
    changed = msgspec.structs.replace(kept.answer, text=text)
    await redis.hset(where.entry, "answer", msgspec.json.encode(changed))
