"""The dispatcher as a role of a worker process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.ledger.role_leases import RoleLease
from shared.queueing.publisher import Publisher
from shared.redis.guarded import GuardedRedis
from shared.replies.wakeups import Wakeups
from shared.resilience.kept_running import kept_running
from shared.resilience.periodic import running
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from workers.dispatch.leading.leader import LEASE_SECONDS, DispatchLeader
from workers.dispatch.leading.term import DispatchTerm
from workers.providers.availability import ModelAvailability

_ROLE = "dispatcher"


@asynccontextmanager
async def dispatching(
    settings: Settings,
    database: Database,
    publisher: Publisher,
    redis: Redis,
    wakeups: Wakeups,
    metrics: Metrics,
    clock: Clock,
    *,
    worker: str,
) -> AsyncIterator[None]:
    """Lead, or stand by to lead, while the context is open."""
    guarded, fleet = GuardedRedis(redis, clock), BreakerFleet(redis, settings.breakers, clock)
    board = BreakerBoard(fleet, settings.breakers, metrics=metrics, clock=clock)
    models = ModelAvailability(settings.providers, board, clock)

    def begin() -> DispatchTerm:
        return DispatchTerm(
            settings,
            database,
            publisher,
            guarded,
            metrics,
            clock,
            leader=worker,
            lease_seconds=LEASE_SECONDS,
            models=models,
        )

    lease = RoleLease(database, clock, role=_ROLE, holder=worker, lease_seconds=LEASE_SECONDS)
    leader = DispatchLeader(lease, wakeups, begin, clock)
    try:
        async with running(kept_running("dispatcher", leader.run)):
            yield
    finally:
        await fleet.close()
        await guarded.close()
