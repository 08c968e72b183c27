"""`forebay rehearse`: a bad day on a running system, and what callers saw of it."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.acts.pending import pending_act
from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.keys import duration
from deploy.cli.options import AsJson
from deploy.cli.output import complain, say, say_json, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import InvalidRequest
from shared.rehearsals.rehearsal import Drill

if TYPE_CHECKING:
    from shared.persistence.engine import Database
    from shared.rehearsals.callers import CallersSaw
    from shared.settings import Settings

_LONGEST: Final = timedelta(minutes=30)
_SHORTEST: Final = timedelta(seconds=5)
_LEARNT: Final = timedelta(seconds=2)
"""Until every worker has seen that one began, or that it is over."""

_Share = Annotated[float, Parameter(validator=Number(gt=0, lte=1))]
_Found = tuple["CallersSaw", "CallersSaw"]


def rehearse(
    drill: Drill = Drill.PRIMARY_DOWN,
    /,
    *,
    lasting: Annotated[str, Parameter(name="--for")] = "60s",
    share: _Share = 1.0,
    tenant: tuple[str, ...] = (),
    stop: bool = False,
    as_json: AsJson = False,
) -> int:
    """Let models fail on a running system for a stated time, and say what callers saw.

    Workers let calls of models fail, or wait, as `chaos` does, inside of breakers and limits. It
    ends by itself, also where this command is killed; Ctrl-C ends it at once. Real callers are
    struck: that is what it is for. It needs `chaos.rehearsals`, which is on.

    The exit code is 0 where every message that ended meanwhile was answered in time.

    Parameters
    ----------
    drill
        primary-down, primary-slow (5 s), primary-limited (429), or models-down.
    lasting
        How long, from 5s to 30m.
    share
        The share of the calls that are struck, above 0 up to 1.
    tenant
        Strike messages of the tenant of this name alone; may be repeated.
    stop
        End the one that runs, whoever began it.
    """
    if stop:
        return _stopped(ended=asyncio.run(_stop()), as_json=as_json)
    length = duration(lasting)
    if not _SHORTEST <= length <= _LONGEST:
        raise InvalidRequest(f"--for {lasting}: write a time from 5s to 30m.")
    before, during = asyncio.run(_run(drill, length, share, tenant))
    _show(drill, length, before, during, as_json=as_json)
    if not during.messages:
        complain("No message ended meanwhile, so this shows nothing: rehearse while some come.")
    return 0 if during.messages and during.in_time == during.messages else 1


def _stopped(*, ended: bool, as_json: bool) -> int:
    if as_json:
        say_json({"ended": ended})
    else:
        say("It is over: workers follow within seconds." if ended else "None was running.")
    return 0


def _show(
    drill: Drill, length: timedelta, before: CallersSaw, during: CallersSaw, *, as_json: bool
) -> None:
    if as_json:
        told = {"drill": drill, "seconds": length.total_seconds()}
        say_json({**told, "before": before, "during": during})
        return
    rows = [_row("before", before), _row(drill, during)]
    headings = ("", "messages", "in time", "failed", "p50", "p95", "answered by")
    say_table(headings, rows, empty="")


def _row(name: str, saw: CallersSaw) -> tuple[object, ...]:
    most_first = sorted(saw.answered_by.items(), key=lambda each: -each[1])
    answered = ", ".join(f"{who} {count}" for who, count in most_first)
    times = (_seconds(saw.p50_seconds), _seconds(saw.p95_seconds))
    return (name, saw.messages, saw.in_time, saw.failed, *times, answered)


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f} s"


async def _stop() -> bool:
    from shared.rehearsals.board import RehearsalBoard

    settings = command_settings()
    async with open_ledger(settings), open_command_redis(settings) as redis:
        return await RehearsalBoard(redis).end()


async def _run(drill: Drill, length: timedelta, share: float, tenants: tuple[str, ...]) -> _Found:
    from shared.rehearsals.callers import what_callers_saw

    settings, clock = command_settings(), SystemClock()
    if not settings.chaos.rehearsals:
        raise InvalidRequest("chaos.rehearsals is false: workers would not follow. Set it to true.")
    async with open_ledger(settings) as database:
        began = clock.now()
        before = await what_callers_saw(database, began - length, began)
        await _strike(settings, database, drill, length, share, tenants)
        ended = clock.now()
        during = await what_callers_saw(database, began + _LEARNT, ended)
        await _note(database, during)
    return before, during


async def _strike(
    settings: Settings,
    database: Database,
    drill: Drill,
    length: timedelta,
    share: float,
    tenants: tuple[str, ...],
) -> None:
    """Returns when its time is over; ends it at once where this task is cancelled."""
    from shared.persistence.tenants import TenantRepository
    from shared.rehearsals.board import RehearsalBoard
    from shared.rehearsals.rehearsal import RunningDrill, injections_of

    repository = TenantRepository(database, SystemClock())
    struck = tuple([(await tenant_named(name, repository)).id for name in tenants])
    injections = injections_of(drill, settings.providers, share=share, tenants=struck)
    act = pending_act.get()
    number = (act.number if act else None) or 0
    async with open_command_redis(settings) as redis:
        board = RehearsalBoard(redis)
        lasts = (length + _LEARNT).total_seconds()
        await board.begin(RunningDrill(drill, number, injections), seconds=lasts)
        try:
            await _wait(drill, lasts)
        finally:
            await board.end()


async def _wait(drill: Drill, seconds: float) -> None:
    from rich.console import Console
    from rich.progress import Progress

    bar = Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)
    with bar:
        task = bar.add_task(drill, total=seconds)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (passed := loop.time() - began) < seconds:
            bar.update(task, completed=passed)
            await asyncio.sleep(min(0.5, seconds - passed))


async def _note(database: Database, during: CallersSaw) -> None:
    if (act := pending_act.get()) is not None:
        told: dict[str, Any] = {"messages": during.messages, "in_time": during.in_time}
        await act.note(database, told)
