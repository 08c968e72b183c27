"""What doors refused, as messages that came: how many of whom and why is known by the minute."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final

from msgspec.structs import replace

from deploy.replay.day.recorded_day import EPOCH, RecordedDay, RecordedMessage
from shared.persistence.engine import Database
from shared.rollups.reading import Dimension, Rollups, TimeSpan

_MINUTE: Final = timedelta(minutes=1)
_NEAREST: Final = 8
_ABOUT: Final = 1.0
_OF_ANOTHER_KIND: Final = frozenset(
    {"request_too_large_for_limit", "idempotency_conflict", "unavailable"}
)
"""Refused for what it was, or by a system that was away: replay has neither."""


async def with_refusals(
    day: RecordedDay, database: Database, *, since: datetime, until: datetime
) -> RecordedDay:
    """The day with what doors refused, where they kept count; raises LedgerUnavailable.

    A refused message comes within a second of one of its tenant's that was let in in its minute,
    or of any at a random moment, and is like it: what it said nobody kept.
    """
    rows = await Rollups(database).series(TimeSpan(since, until), _MINUTE, by=(Dimension.TENANT,))
    random = Random(0)
    own: defaultdict[str, list[RecordedMessage]] = defaultdict(list)
    for each in day.messages:
        own[each.tenant].append(each)
    refused = [
        message
        for row in rows
        if row.starts_at is not None
        for message in _messages(
            row.dims[Dimension.TENANT], row.starts_at, row.refused, own, day, random
        )
    ]
    messages = sorted((*day.messages, *refused), key=lambda each: each.at)
    is_known = any(row.accepted or row.refused for row in rows)
    return replace(day, messages=messages, refusals_known=is_known)


def _messages(
    tenant: str,
    minute: datetime,
    reasons: dict[str, int],
    own: dict[str, list[RecordedMessage]],
    day: RecordedDay,
    random: Random,
) -> Iterator[RecordedMessage]:
    like = own.get(tenant) or day.messages
    began = minute.timestamp() - EPOCH
    low, high = max(began, day.began), min(began + _MINUTE.total_seconds(), day.ended)
    for reason, number in reasons.items():
        for count in range(number if like and reason not in _OF_ANOTHER_KIND else 0):
            at, model = _alike(like, low, high, random)
            yield replace(
                model,
                id=f"refused {tenant} {began:.0f} {reason} {count}",
                tenant=tenant,
                at=at,
                deadline=at + model.deadline - model.at,
                digest=random.randbytes(16),
                key=None,
                waited=None,
                took=None,
                held=False,
                attempts=(),
                cost_beside=0,
                hit=None,
                source=None,
                refused=reason,
            )


def _alike(
    like: list[RecordedMessage], low: float, high: float, random: Random
) -> tuple[float, RecordedMessage]:
    """When one came between both, and a message that it is like."""
    first, last = (bisect_left(like, at, key=lambda each: each.at) for at in (low, high))
    if first < last:
        model = like[random.randrange(first, last)]
        return random.uniform(max(low, model.at - _ABOUT), min(high, model.at + _ABOUT)), model
    near = like[max(0, first - _NEAREST) : first + _NEAREST]
    return random.uniform(low, high), random.choice(near)
