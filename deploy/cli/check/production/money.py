"""Limits and cost alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from deploy.cli.check.production.ground import Ground

_DAY: Final = timedelta(days=1)


async def check_limits(ground: Ground) -> CheckFinding:
    """What doors refused in the last day, and by what."""
    from shared.rollups.reading import Rollups, TimeSpan

    now = ground.clock.now()
    rows = await Rollups(ground.database).sums(TimeSpan(now - _DAY, now))
    accepted = sum(row.accepted for row in rows)
    refused: dict[str, int] = {}
    for row in rows:
        for reason, count in row.refused.items():
            refused[reason] = refused.get(reason, 0) + count
    told = ", ".join(f"{count} {reason}" for reason, count in sorted(refused.items()))
    least = f"{ground.settings.limits.requests_per_minute} messages a minute for each tenant"
    if not accepted and not refused:
        return hint("limits", f"{least}, and no door has told of a message in the last day.")
    return fine("limits", f"{least}; in the last day {accepted} accepted, refused: {told or '0'}.")


async def check_cost_alerts(ground: Ground) -> CheckFinding:
    """Whether somebody is told before the money is gone."""
    from shared.persistence.tenants import TenantRepository

    tenants = await TenantRepository(ground.database, ground.clock).all()
    usual = ground.settings.limits.daily_budget
    capped = [each for each in tenants if (each.plan.daily_budget if each.plan else usual)]
    in_total = ground.settings.alerts.daily_budget
    if not capped and in_total is None:
        return fault(
            "cost alerts",
            "No tenant has a daily budget and alerts.daily_budget is not set, so none can fire. "
            "Set that, or: forebay costs cap DOLLARS --tenant NAME",
        )
    total = "not set" if in_total is None else f"${in_total}"
    told = f"{len(capped)} of {len(tenants)} tenants have a daily budget; in total {total}."
    return fine("cost alerts", told) if len(capped) == len(tenants) else hint("cost alerts", told)
