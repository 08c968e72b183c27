"""`forebay lanes`: whose messages wait for the dispatcher, why and how long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from cyclopts import App

from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.messages.lane import Lane

if TYPE_CHECKING:
    from shared.dispatch.credit import LaneSlots
    from shared.dispatch.flows import FlowsTold

lanes = App(name="lanes", help="What waits in each lane: whose it is, why and how long.")

_NOBODY: Final = (
    "Nobody dispatches: no worker that leads is there, so what is accepted goes to the broker at "
    "once. Start one: forebay worker"
)
_NOTHING_WAITS: Final = "Nothing is held: what is accepted goes to the workers at once."
_FLOW_HEADINGS: Final = ("lane", "tenant", "share", "held", "units", "oldest", "eta", "why")


@lanes.default
def show(*, lane: Lane | None = None, tenant: str | None = None, as_json: AsJson = False) -> None:
    """What waits in each lane: whose it is, why and how long.

    Parameters
    ----------
    lane
        This lane alone.
    tenant
        The tenant of this name alone.
    """
    shown = asyncio.run(_read(lane, tenant))
    if as_json:
        say_json(shown)
    elif shown["leader"] is None:
        say(_NOBODY)
    else:
        _say(shown)


def _say(shown: dict[str, Any]) -> None:
    rows = [(each["lane"], each["slots"], each["free"], each["held"]) for each in shown["lanes"]]
    say_table(("lane", "slots", "free", "held"), rows, empty="No worker reads that lane.")
    say("")
    flows = [
        (
            each["lane"],
            each["tenant"],
            f"{each['share']:.0%}",
            each["backlog"],
            round(each["backlog_units"]),
            f"{each['oldest_seconds']:.1f} s",
            "unknown" if each["eta_seconds"] is None else f"{each['eta_seconds']:.1f} s",
            each["reason"],
        )
        for each in shown["flows"]
    ]
    say_table(_FLOW_HEADINGS, flows, empty=_NOTHING_WAITS)


async def _read(lane: Lane | None, tenant: str | None) -> dict[str, Any]:
    from shared.dispatch.credit import read_lanes
    from shared.dispatch.flows import FlowBoard
    from shared.persistence.tenants import TenantRepository
    from shared.redis.guarded import GuardedRedis

    settings = command_settings()
    async with open_ledger(settings) as database, open_command_redis(settings) as redis:
        repository = TenantRepository(database, SystemClock())
        if tenant is None:
            names = {each.id: each.name for each in await repository.all()}
        else:
            owner = await tenant_named(tenant, repository)
            names = {owner.id: owner.name}
        seconds = settings.redis.timeout_seconds
        guarded = GuardedRedis(redis, SystemClock(), timeout_seconds=seconds)
        slots, told = await read_lanes(guarded), await FlowBoard(guarded).all()
        await guarded.close()
    if told is None:
        return {"leader": None, "lanes": [], "flows": []}
    wanted = [each for each in Lane if lane is None or each is lane]
    return {
        "leader": told.leader,
        "lanes": [_lane(each, slots[each], told) for each in wanted if each in slots],
        "flows": _flows(told, wanted, names, is_one=tenant is not None),
    }


def _lane(lane: Lane, slots: LaneSlots, told: FlowsTold) -> dict[str, Any]:
    held = sum(each.backlog for flow, each in told.flows.items() if flow.lane is lane)
    return {"lane": lane, "slots": slots.slots, "free": slots.free, "held": held}


def _flows(
    told: FlowsTold, lanes: list[Lane], names: dict[str, str], *, is_one: bool
) -> list[dict[str, Any]]:
    """Those of these lanes, the largest share first; a tenant that is gone has its id for a
    name."""
    from msgspec.structs import asdict

    shown = [
        {
            "lane": flow.lane,
            "tenant": names.get(flow.tenant_id, flow.tenant_id),
            "tenant_id": flow.tenant_id,
            **asdict(figures),
        }
        for flow, figures in told.flows.items()
        if flow.lane in lanes and (not is_one or flow.tenant_id in names)
    ]
    return sorted(shown, key=lambda each: (-each["share"], each["lane"], each["tenant"]))
