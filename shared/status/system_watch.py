"""Looks at all parts of the system and says in what state it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from redis.asyncio import Redis

from shared.clock import Clock
from shared.errors import Unavailable
from shared.persistence.engine import Database
from shared.settings import Settings
from shared.status.critical_alerts import CriticalAlerts
from shared.status.models_there import ModelsThere
from shared.status.system_state import StateFinding, SystemStatus, degraded, down, status_of
from shared.status.workers_alive import WorkersAlive

PATIENCE_SECONDS: Final = 2.0

IsWell = Callable[[], Awaitable[bool]]


class SystemWatch:
    """Never raises, and takes two seconds at most: a part that does not answer is a finding."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        redis: Redis,
        clock: Clock,
        *,
        broker_is_well: IsWell,
    ) -> None:
        self._clock = clock
        self._broker_is_well = broker_is_well
        self._looks = (
            _Look(WorkersAlive(database, clock).findings, _LEDGER_AWAY),
            _Look(ModelsThere(redis, settings.breakers, settings.providers).findings, _REDIS_AWAY),
            _Look(self._broker, _BROKER_AWAY),
            _Look(CriticalAlerts(database, clock).findings, None),
        )

    async def look(self) -> SystemStatus:
        """How it is now."""
        found = await asyncio.gather(*(look.in_time() for look in self._looks))
        return status_of((finding for each in found for finding in each), self._clock.now())

    async def _broker(self) -> list[StateFinding]:
        return [] if await self._broker_is_well() else [_BROKER_AWAY]


class _Look(NamedTuple):
    findings: Callable[[], Awaitable[list[StateFinding]]]
    away: StateFinding | None
    """What it says that it has no answer; None where another look says the same."""

    async def in_time(self) -> list[StateFinding]:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self.findings()
        except (Unavailable, TimeoutError):
            return [] if self.away is None else [self.away]


_LEDGER_AWAY: Final = down(
    "ledger", "The ledger does not answer: nothing is accepted. See: forebay check"
)
_REDIS_AWAY: Final = degraded(
    "redis",
    "Redis does not answer: limits hold for each door by itself, and breakers for each worker. "
    "See: forebay check",
)
_BROKER_AWAY: Final = degraded(
    "broker",
    "The broker does not answer: messages are accepted, and published once it is back. See: "
    "forebay check",
)
