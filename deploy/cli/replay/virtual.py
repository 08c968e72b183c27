"""A day again in virtual time, beside the day as it was."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from deploy.cli.connection import open_ledger
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from deploy.cli.step_bar import StepBar
    from deploy.replay.day.generating import GeneratedTraffic
    from deploy.replay.day.recorded_day import RecordedDay
    from deploy.replay.figures.report import ReplayReport
    from deploy.replay.figures.sample import ReplayFigures
    from shared.settings import Settings


class VirtualPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Which day, through which settings. `traffic` is a day that nobody sent."""

    own: Settings
    chosen: Settings
    span: tuple[datetime, datetime]
    traffic: GeneratedTraffic | None
    times: float
    slots: int | None
    seed: int


def replay_virtually(plan: VirtualPlan, bar: StepBar) -> ReplayReport:
    """Raises InvalidRequest for a time without messages, and LedgerUnavailable."""
    if plan.traffic is None:
        return _replayed(asyncio.run(_read(plan.own, plan.span, bar)), plan, bar)
    from deploy.replay.day.generating import generated_day

    slots = plan.slots or plan.own.worker.concurrency
    return _replayed(generated_day(plan.traffic, slots=slots), plan, bar)


def _replayed(day: RecordedDay, plan: VirtualPlan, bar: StepBar) -> ReplayReport:
    from time import perf_counter

    from deploy.replay.day.multiplying import multiplied
    from deploy.replay.figures.report import report_of, sample_of_day, sample_of_run
    from deploy.replay.world.world import run_day

    base: ReplayFigures
    if plan.traffic is None:
        base = sample_of_day(day)
    else:
        bar.begin("as it is", len(day.messages))
        as_it_is = run_day(day, plan.own, slots=day.slots, seed=plan.seed, tell=bar.reach)
        base = sample_of_run(day, as_it_is)
    more = day if plan.times == 1.0 else multiplied(day, plan.times, seed=plan.seed)
    bar.begin("replaying", len(more.messages))
    began = perf_counter()
    slots = plan.slots or day.slots
    rerun = run_day(more, plan.chosen, slots=slots, seed=plan.seed, tell=bar.reach)
    return report_of(more, base, rerun, seconds=perf_counter() - began)


async def _read(settings: Settings, span: tuple[datetime, datetime], bar: StepBar) -> RecordedDay:
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
