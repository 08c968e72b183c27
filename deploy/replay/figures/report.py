"""What is told of a replay, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from deploy.replay.day.recorded_day import EPOCH, RecordedDay
from deploy.replay.figures.comparing import ReplayFigure, compared
from deploy.replay.figures.sample import ReplayFigures, sample_of, seen_in, seen_on
from deploy.replay.world.world import Rerun
from shared.messages.state import ResponseState


class Sign(msgspec.Struct, frozen=True):
    """Something that went wrong in the run, and when it did first."""

    at: datetime
    what: str


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """`refused` and `hits` are by reason and by kind, of the day and of the run. `busy_share` is
    the part of the run's slots that were taken. `unknown` are sentences on what replay had to
    guess. `speed` is seconds of the day for each second of this machine."""

    since: datetime
    until: datetime
    messages: int
    slots: int
    busy_share: float
    speed: float
    figures: list[ReplayFigure]
    refused: dict[str, tuple[int, int]]
    hits: dict[str, tuple[int, int]]
    signs: list[Sign]
    unknown: list[str]


def report_of(
    day: RecordedDay, base: ReplayFigures, rerun: Rerun, *, seconds: float
) -> ReplayReport:
    """The run beside what it is compared with, which took so many seconds."""
    ran = sample_of(seen_in(rerun), began=day.began, ended=day.ended)
    return ReplayReport(
        since=_moment(day.began),
        until=_moment(day.ended),
        messages=len(day.messages),
        slots=rerun.slots,
        busy_share=rerun.busy_share,
        speed=(day.ended - day.began) / max(seconds, 1e-9),
        figures=[
            each
            for each in compared(base, ran)
            if day.false_hits_known or each.name != "false hits"
        ],
        refused=_beside(base.refused, ran.refused),
        hits=_beside(base.hits, ran.hits),
        signs=sorted(_signs(rerun), key=lambda each: each.at),
        unknown=list(_unknown(day, rerun)),
    )


def sample_of_day(day: RecordedDay) -> ReplayFigures:
    """The day as it was."""
    return sample_of(seen_on(day), began=day.began, ended=day.ended)


def sample_of_run(day: RecordedDay, rerun: Rerun) -> ReplayFigures:
    """A run of the day."""
    return sample_of(seen_in(rerun), began=day.began, ended=day.ended)


def _beside(before: dict[str, int], after: dict[str, int]) -> dict[str, tuple[int, int]]:
    names = sorted({*before, *after})
    return {name: (before.get(name, 0), after.get(name, 0)) for name in names}


def _signs(rerun: Rerun) -> Iterator[Sign]:
    first: dict[str, float] = {}
    for job in rerun.jobs:
        if job.refused_by is not None:
            first.setdefault(f"a message is refused: {job.refused_by}", job.message.at)
        elif job.state is not ResponseState.COMPLETED:
            in_time = job.waited is not None
            what = "a message fails" if in_time else "a message is not begun before its deadline"
            first.setdefault(f"{what} ({job.message.lane})", job.message.at)
    if rerun.full_at is not None:
        first["every slot is taken"] = rerun.full_at
    for name, at in rerun.opened.items():
        first[f"the breaker of {name} opens"] = at
    return (Sign(_moment(at), what) for what, at in first.items())


def _unknown(day: RecordedDay, rerun: Rerun) -> Iterator[str]:
    if not day.refusals_known:
        yield "Nothing is known of what doors refused: those messages are missing from the day."
    if not day.false_hits_known:
        yield "Nobody said of a stored answer that it was wrong: false hits are not told."
    for name, number in rerun.borrowed.items():
        yield (
            f"{name} was not called on that day: {number:,} calls took as long, and failed as "
            "often, as those of the models that were."
        )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(EPOCH + seconds, UTC)
