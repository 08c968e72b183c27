"""Where the time of one message went, by the times that the ledger has of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

import msgspec

from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.message_history import BookedAttempt, MessageHistory


class StretchKind(StrEnum):
    """What a message was doing."""

    HELD = "held"
    """It waited for the dispatcher to let it go: its lane or its tenant had no room."""
    QUEUED = "queued"
    """It waited for a worker."""
    TURN = "turn"
    """A worker had it."""
    ATTEMPT = "attempt"
    """A provider was called."""
    STEPS = "steps"
    """Our own work, before, between or behind the calls of a turn."""
    PERSON = "person"
    """It waited for a person."""


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of the waterfall. `end` is None while it lasts; seconds count from acceptance.

    `ordinal` names the attempt that it is; `failed` says that what was done came to nothing.
    """

    kind: StretchKind
    label: str
    start: float
    end: float | None
    claim: int | None = None
    ordinal: int | None = None
    failed: bool = False


def waterfall(history: MessageHistory) -> list[Stretch]:
    """Every stretch of it, in the order in which they began.

    Times of workers and doors are those of their own clocks: one that is said to end before it
    began has no length.
    """
    record = history.record
    if record is None:
        return []
    found = [*_waits(record, history.attempts), *_turns(record, history), *_person(history)]
    return sorted(found, key=lambda each: each.start)


def _waits(record: MessageRecord, attempts: list[BookedAttempt]) -> Iterator[Stretch]:
    """Until its first turn; waits between turns are told by the turns themselves."""
    begun = min((each.started_at for each in attempts), default=record.claimed_at)
    until = begun if begun is not None and record.attempt > 1 else record.claimed_at
    until = until or record.finished_at
    since = record.accepted_at
    if record.held_at is not None and record.attempt <= 1:
        released = record.released_at or until
        yield _stretch(record, StretchKind.HELD, f"held in {record.lane}", since, released)
        if record.released_at is None:
            return
        since = record.released_at
    yield _stretch(record, StretchKind.QUEUED, f"queued in {record.lane}", since, until)


def _turns(record: MessageRecord, history: MessageHistory) -> Iterator[Stretch]:
    last_end: datetime | None = None
    for claim in sorted({each.claim for each in history.attempts} | _last_claim(record)):
        calls = [each for each in history.attempts if each.claim == claim]
        is_last = claim == record.attempt
        began = record.claimed_at if is_last else calls[0].started_at
        if began is None:
            continue
        end = _end_of_last(record, history) if is_last else _ended(calls[-1])
        if last_end is not None:
            yield _stretch(record, StretchKind.QUEUED, "queued again", last_end, began)
        yield _stretch(record, StretchKind.TURN, f"turn {claim}", began, end, claim=claim)
        yield from _calls(record, calls)
        yield from _between(record, calls, began, end)
        last_end = end


def _last_claim(record: MessageRecord) -> set[int]:
    return {record.attempt} if record.attempt and record.claimed_at is not None else set()


def _end_of_last(record: MessageRecord, history: MessageHistory) -> datetime | None:
    return history.handed_off_at or record.finished_at


def _calls(record: MessageRecord, calls: list[BookedAttempt]) -> Iterator[Stretch]:
    for each in calls:
        label = f"{each.provider} {each.model}"
        yield msgspec.structs.replace(
            _stretch(record, StretchKind.ATTEMPT, label, each.started_at, _ended(each)),
            claim=each.claim,
            ordinal=each.ordinal,
            failed=each.error_class is not None,
        )


def _between(
    record: MessageRecord, calls: list[BookedAttempt], began: datetime, end: datetime | None
) -> Iterator[Stretch]:
    """What of a turn was no call: reading what was said before, searching, judging, waiting."""
    times = sorted((each.started_at, _ended(each)) for each in calls)
    if not times:
        return
    yield from _steps(record, "before the call", began, times[0][0])
    for (_, one_ended), (next_began, _) in pairwise(times):
        yield from _steps(record, "before the next call", one_ended, next_began)
    if end is not None:
        yield from _steps(record, "behind the call", max(each for _, each in times), end)


def _steps(
    record: MessageRecord, label: str, since: datetime, until: datetime
) -> Iterator[Stretch]:
    if until > since:
        yield _stretch(record, StretchKind.STEPS, label, since, until)


def _person(history: MessageHistory) -> Iterator[Stretch]:
    record = history.record
    if record is not None and history.handed_off_at is not None:
        # A message that waits for a person has the end of its turn for its own.
        waits = record.state is ResponseState.REQUIRES_ACTION
        until = history.answered_by_person_at or (None if waits else record.finished_at)
        yield _stretch(record, StretchKind.PERSON, "a person has it", history.handed_off_at, until)


def _ended(call: BookedAttempt) -> datetime:
    return call.started_at + timedelta(seconds=call.latency_seconds)


def _stretch(
    record: MessageRecord,
    kind: StretchKind,
    label: str,
    since: datetime,
    until: datetime | None,
    *,
    claim: int | None = None,
) -> Stretch:
    start = max(0.0, (since - record.accepted_at).total_seconds())
    end = None if until is None else max(start, (until - record.accepted_at).total_seconds())
    return Stretch(kind=kind, label=label, start=start, end=end, claim=claim)
