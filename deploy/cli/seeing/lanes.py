"""`forebay lanes`: whose messages wait for the dispatcher, why and how long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from cyclopts import App

from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.messages.lane import Lane

if TYPE_CHECKING:
    from shared.views.lanes import LaneView

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
    elif shown.leader is None:
        say(_NOBODY)
    else:
        _say(shown)


def _say(shown: LaneView) -> None:
    rows = [(each.lane, each.slots, each.free, each.held) for each in shown.lanes]
    say_table(("lane", "slots", "free", "held"), rows, empty="No worker reads that lane.")
    say("")
    flows = [
        (
            each.lane,
            each.tenant,
            f"{each.share:.0%}",
            each.backlog,
            round(each.backlog_units),
            f"{each.oldest_seconds:.1f} s",
            "unknown" if each.eta_seconds is None else f"{each.eta_seconds:.1f} s",
            each.reason,
        )
        for each in shown.flows
    ]
    say_table(_FLOW_HEADINGS, flows, empty=_NOTHING_WAITS)


async def _read(lane: Lane | None, tenant: str | None) -> LaneView:
    from shared.persistence.tenants import TenantRepository
    from shared.redis.guarded import GuardedRedis
    from shared.views.lanes import look_at_lanes

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
        try:
            return await look_at_lanes(guarded, names, lane=lane, is_one=tenant is not None)
        finally:
            await guarded.close()
