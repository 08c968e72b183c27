"""`forebay outcomes`: the four figures that matter, with how far they may be off."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say_json, say_table
from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.outcomes.reading import OutcomeEstimate, OutcomeFigures

Days = Annotated[
    int, Parameter(help="How many days, today included.", validator=Number(gte=1, lte=400))
]
_By = Literal["tenant", "version", "model", "route", "variant"]


def outcomes(
    *, by: _By | None = None, tenant: str | None = None, days: Days = 7, as_json: AsJson = False
) -> None:
    """Show what conversations came to, and what each success cost.

    Parameters
    ----------
    by
        Tell them apart by this: tenant, version, model, route (the provider) or variant.
    tenant
        Count this tenant's alone, by its name.
    """
    found = asyncio.run(_read(by, tenant, days))
    if as_json:
        say_json(found)
        return
    say_table(
        (
            *(by or "of", "conversations", "successes", "completed", "hallucinated"),
            *("satisfaction", "$ per success", "costs unknown"),
        ),
        [
            (
                each.group or ("none" if by else "all"),
                f"{each.conversations:,}",
                f"{each.successes:,}",
                shown(each.completion, "{:.1%}"),
                shown(each.hallucinations, "{:.1%}"),
                shown(each.satisfaction, "{:.2f}"),
                shown(each.cost_per_success, "{:.6f}"),
                f"{each.unknown_costs:,}",
            )
            for each in found
        ],
        empty="No conversation was closed in these days: ten minutes after its last answer one is.",
    )


def shown(estimate: OutcomeEstimate | None, form: str) -> str:
    """The figure with its interval, as far as there is one."""
    if estimate is None:
        return "-"
    mean = form.format(estimate.mean)
    if estimate.low is None and estimate.high is None:
        return mean
    low = "?" if estimate.low is None else form.format(estimate.low)
    high = "?" if estimate.high is None else form.format(estimate.high)
    return f"{mean} ({low} to {high})"


async def _read(by: _By | None, tenant: str | None, days: int) -> list[OutcomeFigures]:
    from deploy.cli.tenants import tenant_named
    from shared.outcomes.reading import OutcomeDimension, Outcomes
    from shared.persistence.tenants import TenantRepository

    clock = SystemClock()
    today = clock.now().date()
    dimension = None if by is None else OutcomeDimension[by.upper()]
    async with open_ledger(command_settings()) as database:
        owner = None
        if tenant is not None:
            owner = (await tenant_named(tenant, TenantRepository(database, clock))).id
        return await Outcomes(database).figures(
            today - timedelta(days=days - 1), today, by=dimension, tenant_id=owner
        )
