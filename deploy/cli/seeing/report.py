"""`forebay report`: what was answered in a span of days, how soon, how surely, for how much."""

from __future__ import annotations

import asyncio
import csv
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import msgspec
from cyclopts import Parameter

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import YEARS, AsJson
from deploy.cli.output import complain, say_json, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.outcomes.totals import OutcomeTotal
    from shared.rollups.cubes import TimeSpan
    from shared.rollups.report import ReportRow

_HEADINGS: Final = (
    *("tenant", "messages", "overdue", "cancelled", "mean s", "p95 s", "in deadline", "dollars"),
    *("per message", "saved", "satisfaction", "hallucinations", "caught", "fallbacks"),
    *("refused", "abuse"),
)
_BEHIND: Final = (
    "Figures are behind: more has ended than a look adds up, and what ended last is missing. "
    "See in `forebay status` that a worker runs, and ask again in some seconds."
)
_DAY: Final = timedelta(days=1)

From = Annotated[str, Parameter(name="--from")]
To = Annotated[str, Parameter(name="--to")]


def report(
    *,
    begin: From = "today",
    end: To = "today",
    tenant: str | None = None,
    as_csv: Annotated[bool, Parameter(name="--csv")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what was answered: how much, how soon, how surely, and for how much.

    One line for each tenant, and one for all, of what ended in these days, whenever it was
    accepted. `overdue` are messages that wait although their deadline passed in these days.
    `in deadline` is the share that was answered before its deadline, of what ended and of what is
    overdue, those apart that their callers cancelled; `caught` are answers that the guardrail kept
    back, `fallbacks` messages that another than the first provider answered, `refused` those that
    doors refused, and `abuse` those of them that one user's own limits did. Of conversations that
    closed in these days, `satisfaction` is people's mean verdict, 0 to 1, and `hallucinations` are
    turns in which facts, amounts or grounding did not hold.

    Parameters
    ----------
    begin
        The first day, such as 2026-01-31 (UTC), `today` or `yesterday`.
    end
        The last day, which counts whole.
    tenant
        Show this tenant alone.
    as_csv
        Print CSV instead of a table: for a sheet.
    """
    span = span_of_days(begin, end, now=SystemClock().now())
    lines, are_behind = asyncio.run(_lines(span, tenant))
    if are_behind:
        complain(_BEHIND)
    if as_json:
        say_json([line.told() for line in lines])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_HEADINGS)
        writer.writerows(line.cells() for line in lines)
    else:
        say_table(
            _HEADINGS,
            [line.cells() for line in lines],
            empty="Nothing has ended in these days.",
        )


def span_of_days(begin: str, end: str, *, now: datetime) -> TimeSpan:
    """From the first day's beginning to the last one's end; raises InvalidRequest."""
    from shared.rollups.cubes import TimeSpan

    span = TimeSpan(_day(begin, now, "--from"), _day(end, now, "--to") + _DAY)
    if span.begin >= span.end:
        raise InvalidRequest(f"--from {begin} lies behind --to {end}. Write the earlier day first.")
    return span


def _day(told: str, now: datetime, option: str) -> datetime:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if told in ("today", "yesterday"):
        return today - _DAY * (told == "yesterday")
    try:
        day = datetime.strptime(told, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        day = None
    if day is None or day.year not in YEARS:
        raise InvalidRequest(
            f"{option} '{told}' is no day of {YEARS[0]} to {YEARS[-1]}: "
            "write today, yesterday, or a day like 2026-01-31."
        )
    return day


class _ReportLine(NamedTuple):
    """What is told of one tenant, or of all."""

    name: str
    row: ReportRow
    outcomes: OutcomeTotal

    def told(self) -> dict[str, object]:
        of_outcomes = {
            "satisfaction": self.outcomes.satisfaction,
            "hallucinations": self.outcomes.caught,
        }
        return msgspec.structs.asdict(self.row) | of_outcomes

    def cells(self) -> tuple[object, ...]:
        row = self.row
        return (
            *(self.name, row.messages, row.overdue, row.cancelled),
            _spelt(row.mean_seconds, ".2f"),
            _spelt(row.p95_seconds, ".2f"),
            _spelt(row.availability, ".2%"),
            f"{row.cost:.6f}",
            "" if row.cost_per_message is None else f"{row.cost_per_message:.6f}",
            f"{row.saved:.6f}",
            _spelt(self.outcomes.satisfaction, ".2f"),
            *(self.outcomes.caught, row.caught, row.fallbacks, row.refused, row.abuse),
        )


async def _lines(span: TimeSpan, name: str | None) -> tuple[list[_ReportLine], bool]:
    """And whether figures are behind what has ended."""
    from shared.outcomes.totals import OutcomeTotal, OutcomeTotals
    from shared.persistence.tenants import TenantRepository
    from shared.rollups.reading import Rollups
    from shared.rollups.report import OverdueMessages, TrafficReport

    settings = command_settings()
    async with open_ledger(settings) as database:
        tenants, rollups = TenantRepository(database, SystemClock()), Rollups(database)
        whose = None if name is None else (await tenant_named(name, tenants)).id
        first = settings.providers[0].name if settings.providers else None
        are_behind = await rollups.are_behind()
        overdue = await OverdueMessages(database, SystemClock()).by_tenant(span)
        rows = await TrafficReport(rollups, overdue, first=first).of(span, tenant_id=whose)
        days = span.begin.date(), (span.end - _DAY).date()
        outcomes = await OutcomeTotals(database).of_tenants(*days)
        names = {each.id: each.name for each in await tenants.all()}
    everybody = sum(outcomes.values(), OutcomeTotal())
    lines = [
        _ReportLine("all", row, everybody)
        if (tenant_id := row.tenant_id) is None
        else _ReportLine(
            names.get(tenant_id, tenant_id), row, outcomes.get(tenant_id, OutcomeTotal())
        )
        for row in rows
    ]
    return lines, are_behind


def _spelt(number: float | None, spelling: str) -> str:
    return "" if number is None else format(number, spelling)
