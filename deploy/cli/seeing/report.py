"""`forebay report`: what was answered in a span of days, how soon, how surely, for how much."""

from __future__ import annotations

import asyncio
import csv
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say_json, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.rollups.cubes import TimeSpan
    from shared.rollups.report import ReportRow

_HEADINGS: Final = (
    *("tenant", "messages", "cancelled", "mean s", "p95 s", "in deadline", "dollars"),
    *("per message", "saved", "caught", "fallbacks", "refused", "abuse"),
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

    One line for each tenant, and one for all. `in deadline` is the share of messages that were
    answered before their deadline, those apart that their callers cancelled; `caught` are answers
    that the guardrail kept back, `fallbacks` messages that another than the first provider
    answered, `refused` those that doors refused, and `abuse` those of them that one user's own
    limits did.

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
    rows = asyncio.run(_rows(span, tenant))
    if as_json:
        say_json([row for _, row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_HEADINGS)
        writer.writerows(_cells(name, row) for name, row in rows)
    else:
        say_table(
            _HEADINGS,
            [_cells(name, row) for name, row in rows],
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
        return datetime.strptime(told, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRequest(
            f"{option} '{told}' is no day: write today, yesterday, or a day like 2026-01-31."
        ) from None


async def _rows(span: TimeSpan, name: str | None) -> list[tuple[str, ReportRow]]:
    from shared.persistence.tenants import TenantRepository
    from shared.rollups.reading import Rollups
    from shared.rollups.report import TrafficReport

    settings = command_settings()
    async with open_ledger(settings) as database:
        tenants = TenantRepository(database, SystemClock())
        whose = None if name is None else (await tenant_named(name, tenants)).id
        first = settings.providers[0].name if settings.providers else None
        rows = await TrafficReport(Rollups(database), first=first).of(span, tenant_id=whose)
        names = {each.id: each.name for each in await tenants.all()}
    return [(_name(row.tenant_id, names), row) for row in rows]


def _name(tenant_id: str | None, names: dict[str, str]) -> str:
    return "all" if tenant_id is None else names.get(tenant_id, tenant_id)


def _cells(name: str, row: ReportRow) -> tuple[object, ...]:
    return (
        name,
        row.messages,
        row.cancelled,
        _told(row.mean_seconds, ".2f"),
        _told(row.p95_seconds, ".2f"),
        _told(row.availability, ".2%"),
        f"{row.cost:.6f}",
        "" if row.cost_per_message is None else f"{row.cost_per_message:.6f}",
        f"{row.saved:.6f}",
        row.caught,
        row.fallbacks,
        row.refused,
        row.abuse,
    )


def _told(number: float | None, spelling: str) -> str:
    return "" if number is None else format(number, spelling)
