"""What every point of readiness is looked at with."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from redis.asyncio import Redis

from shared.clock import Clock
from shared.persistence.engine import Database
from shared.settings import Settings


class Ground(NamedTuple):
    """The settings, and the servers that they name."""

    settings: Settings
    database: Database
    redis: Redis
    clock: Clock

    def ago(self, at: datetime) -> timedelta:
        """How long since then."""
        return self.clock.now() - at


def in_words(span: timedelta) -> str:
    """`90 seconds`, `3 minutes`, `5 hours`, `12 days`."""
    seconds = max(0, int(span.total_seconds()))
    for name, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {name}"
    return f"{seconds} seconds"
