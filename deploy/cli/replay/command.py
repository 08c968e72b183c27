"""`forebay replay`: a day again, through other settings or under more load."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say_json
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.replay.bar import ReplayBar
    from deploy.replay.day.recorded_day import RecordedDay
    from deploy.replay.figures.report import ReplayReport
    from deploy.replay.figures.sample import ReplayFigures
    from shared.settings import Settings

replay = App(name="replay", help="Run a day again, through other settings or under more load.")

_DAY: Final = timedelta(days=1)
_Count = Annotated[int, Parameter(validator=Number(gte=1))]


@replay.default
def run(
    *,
    virtual: bool = True,
    since: datetime | None = None,
    until: datetime | None = None,
    settings: Path | None = None,
    times: Annotated[float, Parameter(validator=Number(gt=0, lte=1000))] = 1.0,
    slots: _Count | None = None,
    generate: _Count | None = None,
    hours: Annotated[float, Parameter(validator=Number(gt=0, lte=168))] = 24.0,
    shape: Literal["flat", "day"] = "day",
    tenants: _Count = 20,
    repeated: Annotated[float, Parameter(validator=Number(gte=0, lt=1))] = 0.2,
    call_seconds: Annotated[float, Parameter(validator=Number(gt=0))] = 2.0,
    seed: int = 0,
    as_json: AsJson = False,
) -> None:
    """Run a day of the ledger again in virtual time, and say what waits, what is refused, what it
    costs and what the cache gives. Nobody is called and nothing is written.

    Parameters
    ----------
    virtual
        In virtual time, by what the ledger knows of each call. This is what is done.
    since
        From this time on, UTC; a day before `until` if not given.
    until
        Up to this time, UTC; now if not given.
    settings
        Through the settings of this file; through those of the day, as they are now, if not given:
        then it says how true replay is of that day.
    times
        With so much of the same traffic.
    slots
        Turns that all workers can hold at once; as many as the day had if not given.
    generate
        Run a day of so many messages that nobody sent instead.
    hours
        How long the generated day is.
    shape
        How its rate runs: flat, or as of a day.
    tenants
        Whose its messages are, the first's most.
    repeated
        The part of them that ask what was asked before.
    call_seconds
        How long its calls last, in the mean.
    seed
        What is drawn where the day does not say it; the same seed gives the same run.
    """
    from deploy.cli.replay.bar import replay_bar
    from deploy.cli.replay.showing import say_replay
    from shared.settings import load_settings

    del virtual
    own = command_settings()
    chosen = own if settings is None else load_settings(file=_existing(settings))
    span = _span(since, until)
    with replay_bar() as bar:
        if generate is not None:
            from deploy.replay.day.generating import GeneratedTraffic, Shape, generated_day

            traffic = GeneratedTraffic(
                messages=generate,
                hours=hours,
                shape=Shape(shape),
                tenants=tenants,
                repeated=repeated,
                call_seconds=call_seconds,
                seed=seed,
            )
            day = generated_day(traffic, slots=slots or own.worker.concurrency)
        else:
            day = asyncio.run(_read(own, span, bar))
        report = _replayed(
            day, own, chosen, times=times, slots=slots, seed=seed, bar=bar, is_real=not generate
        )
    if as_json:
        say_json(report)
    else:
        say_replay(report)


def _replayed(
    day: RecordedDay,
    own: Settings,
    chosen: Settings,
    *,
    times: float,
    slots: int | None,
    seed: int,
    bar: ReplayBar,
    is_real: bool,
) -> ReplayReport:
    from time import perf_counter

    from deploy.replay.day.multiplying import multiplied
    from deploy.replay.figures.report import report_of, sample_of_day, sample_of_run
    from deploy.replay.world.world import run_day

    base: ReplayFigures
    if is_real:
        base = sample_of_day(day)
    else:
        bar.begin("as it is", len(day.messages))
        base = sample_of_run(day, run_day(day, own, slots=day.slots, seed=seed, tell=bar.reach))
    more = day if times == 1.0 else multiplied(day, times, seed=seed)
    bar.begin("replaying", len(more.messages))
    began = perf_counter()
    rerun = run_day(more, chosen, slots=slots or day.slots, seed=seed, tell=bar.reach)
    return report_of(more, base, rerun, seconds=perf_counter() - began)


async def _read(settings: Settings, span: tuple[datetime, datetime], bar: ReplayBar) -> RecordedDay:
    from deploy.replay.day.reading import read_day
    from deploy.replay.day.refusals import with_refusals

    since, until = span
    bar.begin("reading", None)
    async with open_ledger(settings) as database:
        day = await read_day(database, settings, since=since, until=until, tell=bar.reach)
        if not day.messages:
            raise InvalidRequest(
                f"The ledger has no message that came between {since:%Y-%m-%d %H:%M} and "
                f"{until:%Y-%m-%d %H:%M} UTC: name another time with --since and --until, or "
                "--generate a day."
            )
        return await with_refusals(day, database, since=since, until=until)


def _span(since: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    end = _in_utc(until) if until is not None else datetime.now(UTC)
    start = _in_utc(since) if since is not None else end - _DAY
    if start >= end:
        raise InvalidRequest(f"--since {start:%Y-%m-%d %H:%M} is not before --until: turn them.")
    return start, end


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise InvalidRequest(f"--settings: there is no file '{file}'.")
    return file
