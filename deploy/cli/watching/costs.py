"""`forebay costs`: what was spent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from cyclopts import App

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.keys import duration
from deploy.cli.output import AsJson, say, say_json, say_table
from shared.clock import SystemClock
from shared.costs.spending import SpendingBy
from shared.errors import InvalidRequest

if TYPE_CHECKING:
    from shared.costs.spending import SpendingRow

_HEADINGS: Final = (
    "messages",
    "attempts",
    "input",
    "cached",
    "output",
    "dollars",
    "unknown",
    "estimated",
)

costs = App(name="costs", help="What was spent: by tenant, user, model, lane, provider or day.")


@costs.default
def report(
    *, by: SpendingBy = SpendingBy.TENANT, since: str = "today", as_json: AsJson = False
) -> None:
    """Show what attempts cost, failed ones too, as the ledger booked them.

    Parameters
    ----------
    by
        What each row stands for.
    since
        `today` (UTC), `all`, a day such as 2026-01-31, or a time ago such as 7d, 12h or 45m.
    """
    rows = asyncio.run(_report(by, _moment(since)))
    if as_json:
        say_json(rows)
        return
    say_table((by.value, *_HEADINGS), [_cells(row) for row in rows], empty="Nothing was booked.")
    if any(row.unknown for row in rows):
        say("Unknown: attempts without a known cost, which the dollars lack. Set [[costs.prices]].")


def _moment(since: str) -> datetime | None:
    now = SystemClock().now()
    if since == "all":
        return None
    if since == "today":
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return datetime.strptime(since, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now - min(duration(since), timedelta(days=36_500))
    except InvalidRequest:
        raise InvalidRequest(
            f"'{since}' is no time: write today, all, a day like 2026-01-31, or 7d, 12h, 45m."
        ) from None


async def _report(by: SpendingBy, since: datetime | None) -> list[SpendingRow]:
    from shared.costs.spending import Spending

    async with open_ledger(command_settings()) as database:
        return await Spending(database).report(by, since=since)


def _cells(row: SpendingRow) -> tuple[object, ...]:
    return (
        row.of or "(none)",
        row.messages,
        row.attempts,
        row.input_tokens,
        row.cached_tokens,
        row.output_tokens,
        _dollars(row.cost),
        row.unknown,
        row.estimated,
    )


def _dollars(amount: Decimal) -> str:
    return f"{amount:.6f}"
