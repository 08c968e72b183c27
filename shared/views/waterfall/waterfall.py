"""Where the time of one message went, by the times that the ledger has of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import msgspec

from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.message_history import BookedAttempt, MessageHistory
from shared.views.waterfall.stretch import Stretch, StretchKind, stretch
from shared.views.waterfall.waits import Gap, waits


def waterfall(history: MessageHistory) -> list[Stretch]:
    """Every stretch of it, in the order in which they began.

    Times of workers and doors are those of their own clocks: one that is said to end before it
    began has no length.
    """
    record = history.record
    if record is None:
        return []
    found = [*_turns(record, history), *_person(history)]
    return sorted(found, key=lambda each: each.start)


def _turns(record: MessageRecord, history: MessageHistory) -> Iterator[Stretch]:
    """Its turns, and what it waited for before each of them."""
    turns, waited_since = _begun(record, history.attempts), record.accepted_at
    for place, (claim, began, calls) in enumerate(turns):
        is_last = place == len(turns) - 1
        yield from waits(record, Gap(waited_since, began, place > 0), history.waits)
        before = None if is_last else turns[place + 1].began
        end = _end(record, history, began, calls, before=before)
        yield stretch(record, StretchKind.TURN, f"turn {claim}", began, end, claim=claim)
        yield from _calls(record, calls)
        yield from _between(record, calls, began, end)
        waited_since = end or began
    if record.state is ResponseState.QUEUED or not turns:
        yield from waits(record, Gap(waited_since, record.finished_at, bool(turns)), history.waits)


class _Turn(NamedTuple):
    claim: int
    began: datetime
    calls: list[BookedAttempt]


def _begun(record: MessageRecord, attempts: list[BookedAttempt]) -> list[_Turn]:
    """Those that called anybody, by their first call, and the last one."""
    found = []
    for claim in sorted({each.claim for each in attempts} | _last_claim(record)):
        calls = [each for each in attempts if each.claim == claim]
        began = record.claimed_at if claim == record.attempt else calls[0].started_at
        if began is not None:
            found.append(_Turn(claim, began, calls))
    return found


def _last_claim(record: MessageRecord) -> set[int]:
    return {record.attempt} if record.attempt and record.claimed_at is not None else set()


def _end(
    record: MessageRecord,
    history: MessageHistory,
    began: datetime,
    calls: list[BookedAttempt],
    *,
    before: datetime | None,
) -> datetime | None:
    """With the message, or where another turn followed or will, when it was given back."""
    if before is None and record.state is not ResponseState.QUEUED:
        return history.handed_off_at or record.finished_at
    last = max([began, *map(_ended, calls)])
    noted = [each.since for each in history.waits if each.ends_turn and each.since >= last]
    given_back = min(noted, default=last)
    return last if before is not None and given_back > before else given_back


def _calls(record: MessageRecord, calls: list[BookedAttempt]) -> Iterator[Stretch]:
    for each in calls:
        label = f"{each.provider} {each.model}"
        yield msgspec.structs.replace(
            stretch(record, StretchKind.ATTEMPT, label, each.started_at, _ended(each)),
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
        yield stretch(record, StretchKind.STEPS, label, since, until)


def _person(history: MessageHistory) -> Iterator[Stretch]:
    record = history.record
    if record is not None and history.handed_off_at is not None:
        # A message that waits for a person has the end of its turn for its own.
        waits = record.state is ResponseState.REQUIRES_ACTION
        until = history.answered_by_person_at or (None if waits else record.finished_at)
        yield stretch(record, StretchKind.PERSON, "a person has it", history.handed_off_at, until)


def _ended(call: BookedAttempt) -> datetime:
    return call.started_at + timedelta(seconds=call.latency_seconds)
