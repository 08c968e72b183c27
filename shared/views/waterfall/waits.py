"""What a message waited for while no worker had it, by the notes in its row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from shared.messages.record import MessageRecord
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote
from shared.views.waterfall.stretch import Stretch, StretchKind, stretch

_LOOKED_AFTER: Final = timedelta(seconds=2)
"""The dispatcher looks once a second: what it saw so soon was so from the beginning."""
_EVER: Final = datetime.max.replace(tzinfo=UTC)


class Gap(NamedTuple):
    """No worker had it; `until` is None while that lasts. `again` says that one had it before."""

    since: datetime
    until: datetime | None
    again: bool = False

    @property
    def end(self) -> datetime:
        return self.until or _EVER

    def label(self, kind: StretchKind, record: MessageRecord) -> str:
        """What a reader sees."""
        return f"{kind} again" if self.again else f"{kind} in {record.lane}"


def waits(record: MessageRecord, gap: Gap, notes: Sequence[WaitNote]) -> Iterator[Stretch]:
    """The stretches of one gap: held and parked, then queued, each with its reason.

    What ended a turn that no call tells of, such as one that found no model, cuts the gap.
    """
    given_back = [each for each in notes if each.ends_turn]
    cuts = [each for each in given_back if gap.since < each.since < gap.end]
    at_begin = [each for each in given_back if each.since == gap.since]
    reasons = [at_begin[-1].why if at_begin else "", *(each.why for each in cuts)]
    times = [gap.since, *(each.since for each in cuts), gap.until]
    for (since, until), why in zip(pairwise(times), reasons, strict=True):
        if since is not None:
            again = gap.again or since > gap.since
            yield from _part(record, Gap(since, until, again), notes, why)


def _part(
    record: MessageRecord, part: Gap, notes: Sequence[WaitNote], why: str
) -> Iterator[Stretch]:
    of_part = [each for each in notes if part.since < (each.until or part.since) <= part.end]
    holds = [each for each in of_part if each.is_of_hold]
    parked = [each for each in of_part if each.cause is WaitCause.PARKED]
    queued_since, kind = part.since, StretchKind.HELD
    if holds:
        queued_since = max(each.until or part.since for each in holds)
        yield from _held(record, Gap(part.since, queued_since, part.again), holds, why)
    elif record.held_at is not None and (held := _unnoted(record, part, parked)):
        label = part.label(kind, record)
        yield stretch(record, kind, label, part.since, held.until, reason=why)
        if held.until is None or held.until == part.until:
            return
        queued_since = held.until
    for each in parked:
        since = max(part.since, each.since)
        kind, label = StretchKind.PARKED, "no model"
        yield stretch(record, kind, label, since, each.until, reason=each.why)
    if part.until is None or queued_since < part.until:
        reason = "" if queued_since > part.since else why
        kind = StretchKind.QUEUED
        label = part.label(kind, record)
        yield stretch(record, kind, label, queued_since, part.until, reason=reason)


def _unnoted(record: MessageRecord, part: Gap, parked: Sequence[WaitNote]) -> Gap | None:
    """A hold that was too short for a reason or was parked all the time, lasts, or ended with the
    message; None for none."""
    released_at = record.released_at
    if released_at is not None and part.since <= released_at <= part.end:
        return Gap(part.since, released_at)
    if parked:  # an earlier hold: what was parked went with the next release
        return Gap(part.since, parked[-1].until)
    lasted = released_at is None and (record.attempt == 0 or part.until is None)
    return Gap(part.since, part.until) if lasted else None


def _held(record: MessageRecord, hold: Gap, notes: list[WaitNote], why: str) -> Iterator[Stretch]:
    """One hold, cut where its reason changed; `why` it came back to it stands before the first."""
    kind, label = StretchKind.HELD, hold.label(StretchKind.HELD, record)
    begins = [max(hold.since, each.since) for each in notes]
    if begins[0] - hold.since <= _LOOKED_AFTER:
        begins[0] = hold.since
    else:
        yield stretch(record, kind, label, hold.since, begins[0], reason=why)
    for note, since, until in zip(notes, begins, [*begins[1:], hold.until], strict=True):
        if until is None or since < until:
            reason = " ".join(filter(None, [why if since == hold.since else "", note.why]))
            yield stretch(record, kind, label, since, until, reason=reason)
