"""`forebay costs`: what was spent."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final

from cyclopts import App
from msgspec.structs import replace

from deploy.cli.connection import command_settings, open_ledger, tell_doors
from deploy.cli.keys import duration
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.costs.spending import SpendingBy
from shared.errors import InvalidRequest
from shared.settings.door import LARGEST_BUDGET

if TYPE_CHECKING:
    from shared.costs.spending import SpendingRow
    from shared.messages.tenant import Plan

_HEADINGS: Final = (
    "messages",
    "attempts",
    "input",
    "cached",
    "cache write",
    "output",
    "reasoning",
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


@costs.command
def cap(amount: str, /, *, tenant: str, as_json: AsJson = False) -> None:
    """Cap what a tenant may spend each day (UTC). Doors follow within seconds.

    The tenant keeps its other limits; one that had the settings' has them as its own from now on.

    Parameters
    ----------
    amount
        US dollars, such as 25 or 0.50; `none` for no cap.
    tenant
        The tenant's name.
    """
    plan = asyncio.run(_cap(tenant, _budget(amount)))
    if as_json:
        say_json(plan)
    else:
        limit = "no cap" if plan.daily_budget is None else f"${plan.daily_budget} a day"
        say(f"Tenant '{tenant}' has {limit}.")


def _budget(amount: str) -> Decimal | None:
    if amount == "none":
        return None
    try:
        dollars = Decimal(amount)
    except InvalidOperation:
        dollars = Decimal("NaN")
    if not (dollars.is_finite() and 0 <= dollars <= LARGEST_BUDGET):
        raise InvalidRequest(f"'{amount}' is no amount: write dollars, such as 25, or none.")
    return dollars


async def _cap(name: str, budget: Decimal | None) -> Plan:
    from ingress.admission.limits import plan_of
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        tenants = TenantRepository(database, SystemClock())
        owner = await tenant_named(name, tenants)
        plan = replace(plan_of(owner, settings.limits), daily_budget=budget)
        await tenants.set_plan(owner, plan)
    await tell_doors(settings, owner.id)
    return plan


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
        row.cache_write_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        _dollars(row.cost),
        row.unknown,
        row.estimated,
    )


def _dollars(amount: Decimal) -> str:
    return f"{amount:.6f}"
