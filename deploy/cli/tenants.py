"""`forebay tenants`: who may post, and how much."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Final

from cyclopts import App, Parameter
from cyclopts.validators import Number
from msgspec.structs import asdict, replace

from deploy.cli.connection import command_settings, open_ledger, tell_doors
from deploy.cli.options import AsJson
from deploy.cli.output import say_json, say_rows, say_table
from shared.clock import SystemClock
from shared.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from shared.messages.tenant import Plan, Tenant
    from shared.persistence.tenants import TenantRepository

LONGEST_NAME: Final = 128

Days = Annotated[int | None, Parameter(validator=Number(gte=1, lte=36_500))]
Count = Annotated[int | None, Parameter(validator=Number(gte=1, lte=1_000_000_000))]
Weight = Annotated[float | None, Parameter(validator=Number(gte=0.01, lte=100))]

tenants = App(name="tenants", help="Tenants: list them, and give one its own limits and retention.")


@tenants.command(name="list")
def list_tenants(*, as_json: AsJson = False) -> None:
    """Show all, with the limits that hold for each."""
    shown = [_shown(each, plan) for each, plan in asyncio.run(_list())]
    if as_json:
        say_json(shown)
        return
    names = ("requests_per_minute", "tokens_per_minute", "max_in_flight", "daily_budget", "weight")
    rows = [
        (each["id"], *(each["limits"][name] for name in names), each["plan"], each["name"])
        for each in shown
    ]
    headings = (
        "id",
        "requests/min",
        "tokens/min",
        "in flight",
        "dollars/day",
        "weight",
        "plan",
        "name",
    )
    say_table(headings, rows, empty="There are no tenants. Make one: forebay keys create --tenant")


@tenants.command
def limits(
    name: str,
    /,
    *,
    requests_per_minute: Count = None,
    tokens_per_minute: Count = None,
    user_requests_per_minute: Count = None,
    user_tokens_per_minute: Count = None,
    max_in_flight: Count = None,
    weight: Weight = None,
    from_settings: bool = False,
    as_json: AsJson = False,
) -> None:
    """Show a tenant's limits, or give it a plan of its own. Doors follow at once.

    A limit that is not given stays as it is; one that came from the settings is the tenant's own
    from then on. The daily budget is set by `forebay costs cap`.

    Parameters
    ----------
    name
        The tenant's name.
    requests_per_minute
        Messages of the tenant.
    tokens_per_minute
        Tokens of the tenant.
    user_requests_per_minute
        Messages of one end user.
    user_tokens_per_minute
        Tokens of one end user.
    max_in_flight
        Messages that are accepted and not ended.
    weight
        Its share of the workers where more waits than they can do: 2 gets twice what 1 gets.
    from_settings
        Give up its own plan, the budget too: it has the limits of the settings again.
    """
    wanted = {
        "requests_per_minute": requests_per_minute,
        "tokens_per_minute": tokens_per_minute,
        "user_requests_per_minute": user_requests_per_minute,
        "user_tokens_per_minute": user_tokens_per_minute,
        "max_in_flight": max_in_flight,
        "weight": weight,
    }
    changes = {key: value for key, value in wanted.items() if value is not None}
    if changes and from_settings:
        raise InvalidRequest("Give limits, or --from-settings: one of them.")
    shown = _shown(*asyncio.run(_limits(name, changes, from_settings=from_settings)))
    if as_json:
        say_json(shown)
        return
    facts = {**{key: shown[key] for key in ("name", "id", "plan")}, **shown["limits"]}
    say_rows([[(key, "none" if value is None else str(value)) for key, value in facts.items()]])


@tenants.command
def retention(
    name: str,
    /,
    *,
    days: Days = None,
    from_settings: bool = False,
    as_json: AsJson = False,
) -> None:
    """Show how long a tenant's messages are kept, or give it a time of its own.

    Workers follow with their next round: what is older then is deleted, a little at a time.

    Parameters
    ----------
    name
        The tenant's name.
    days
        Days for which ended messages and dead letters are kept.
    from_settings
        Keep them as `ledger.retention_days` says again.
    """
    if days is not None and from_settings:
        raise InvalidRequest("Give --days, or --from-settings: one of them.")
    owner, kept = asyncio.run(_retention(name, days, from_settings=from_settings))
    own = "settings" if owner.retention_days is None else "its own"
    shown = {"id": owner.id, "name": owner.name, "retention_days": kept, "from": own}
    if as_json:
        say_json(shown)
        return
    say_rows([[(key, str(value)) for key, value in shown.items()]])


def checked_name(name: str) -> str:
    """A name that a tenant may have; raises InvalidRequest."""
    if not (name.strip() == name != "" and name.isprintable() and len(name) <= LONGEST_NAME):
        raise InvalidRequest(
            f"{name!r} is no name for a tenant: write 1 to {LONGEST_NAME} characters without line "
            "breaks, and none that is blank at either end."
        )
    return name


async def tenant_named(name: str, repository: TenantRepository) -> Tenant:
    """The tenant; raises NotFound with where to look."""
    found = await repository.named(name)
    if found is None:
        raise NotFound(f"There is no tenant named '{name}'. See: forebay tenants list.")
    return found


async def _list() -> list[tuple[Tenant, Plan]]:
    from ingress.admission.limits import plan_of
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        found = await TenantRepository(database, SystemClock()).all()
    return [(each, plan_of(each, settings.limits)) for each in found]


async def _limits(
    name: str, changes: dict[str, float], *, from_settings: bool
) -> tuple[Tenant, Plan]:
    from ingress.admission.limits import plan_of
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        repository = TenantRepository(database, SystemClock())
        owner = await tenant_named(name, repository)
        if from_settings:
            owner = await repository.set_plan(owner, None)
        elif changes:
            plan = replace(plan_of(owner, settings.limits), **changes)
            owner = await repository.set_plan(owner, plan)
    if changes or from_settings:
        await tell_doors(settings, owner.id)
    return owner, plan_of(owner, settings.limits)


async def _retention(name: str, days: int | None, *, from_settings: bool) -> tuple[Tenant, int]:
    from shared.persistence.tenants import TenantRepository

    settings = command_settings()
    async with open_ledger(settings) as database:
        repository = TenantRepository(database, SystemClock())
        owner = await tenant_named(name, repository)
        if from_settings or days is not None:
            owner = await repository.keep_for(owner, days)
    return owner, owner.retention_days or settings.ledger.retention_days


def _shown(tenant: Tenant, plan: Plan) -> dict[str, Any]:
    own = "settings" if tenant.plan is None else "its own"
    return {"id": tenant.id, "name": tenant.name, "plan": own, "limits": asdict(plan)}
