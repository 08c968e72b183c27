"""The points of readiness, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from deploy.cli.check.finding import CheckFinding, fault
from deploy.cli.check.production.chain import check_breakers, check_fallbacks, check_rehearsed
from deploy.cli.check.production.ground import Ground
from deploy.cli.check.production.judged import (
    check_evaluations,
    check_ledger_kind,
    check_no_chaos,
)
from deploy.cli.check.production.money import check_cost_alerts, check_limits
from deploy.cli.check.production.seen import check_traces, check_workers
from deploy.cli.check.production.told import check_alerts
from deploy.cli.connection import open_command_redis, open_ledger
from shared.clock import SystemClock
from shared.errors import Unavailable
from shared.settings import Settings

_POINTS: Final[dict[str, Callable[[Ground], Awaitable[CheckFinding]]]] = {
    "ledger": check_ledger_kind,
    "workers": check_workers,
    "breakers": check_breakers,
    "fallbacks": check_fallbacks,
    "rehearsed": check_rehearsed,
    "limits": check_limits,
    "cost alerts": check_cost_alerts,
    "alerts": check_alerts,
    "traces": check_traces,
    "evaluations": check_evaluations,
    "chaos": check_no_chaos,
}


async def check_production(settings: Settings) -> list[CheckFinding]:
    """One line for each point; a server that is away is its fault."""
    try:
        async with open_ledger(settings) as database, open_command_redis(settings) as redis:
            ground = Ground(settings, database, redis, SystemClock())
            return [await _looked_at(name, ground) for name in _POINTS]
    except Unavailable as error:
        return [fault("production", error.message)]


async def _looked_at(name: str, ground: Ground) -> CheckFinding:
    try:
        return await _POINTS[name](ground)
    except Unavailable as error:
        return fault(name, error.message)
