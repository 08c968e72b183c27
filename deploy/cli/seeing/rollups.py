"""`forebay rollups`: the figures of minutes, hours and days, held to the ledger."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json
from deploy.cli.seeing.report import span_of_days
from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.rollups.cubes import TimeSpan
    from shared.rollups.rebuilding import RebuiltDay

rollups = App(name="rollups", help="Figures over time, which screens, alerts and reports read.")


@rollups.command
def rebuild(
    *,
    begin: Annotated[str, Parameter(name="--from")] = "today",
    end: Annotated[str, Parameter(name="--to")] = "today",
    as_json: AsJson = False,
) -> None:
    """Hold figures to the ledger's own rows, and put right what differs.

    It may be broken off and repeated, while messages go on ending. Days of which the ledger has
    deleted messages stay as they are. What doors accepted and refused is in no other place and
    stays too.

    Parameters
    ----------
    begin
        The first day, such as 2026-01-31 (UTC), `today` or `yesterday`.
    end
        The last day.
    """
    days = asyncio.run(
        _rebuild(span_of_days(begin, end, now=SystemClock().now()), tells=not as_json)
    )
    if as_json:
        say_json([day._asdict() for day in days])


async def _rebuild(span: TimeSpan, *, tells: bool) -> list[RebuiltDay]:
    from shared.rollups.rebuilding import RollupRebuilding

    settings, days = command_settings(), []
    async with open_ledger(settings) as database:
        async for day in RollupRebuilding(database, settings, SystemClock()).rebuild(span):
            days.append(day)
            if tells:
                say(_line(day))
    return days


def _line(day: RebuiltDay) -> str:
    told = "right as it was" if not day.corrected else f"{day.corrected} rows put right"
    kept = "" if day.is_whole else "; the ledger keeps it whole no more, so the rest was left"
    return f"{day.day:%Y-%m-%d}  {told}{kept}"
