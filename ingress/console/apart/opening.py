"""Where a door's console works: in a process of its own, or in the door's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.asyncio import Redis

from ingress.console.apart.forwarding import ForwardedConsole
from shared.clock import Clock
from shared.settings import Settings
from shared.status.system_watch import IsWell

if TYPE_CHECKING:
    from ingress.console.surface import ConsoleSurface


def open_console(
    settings: Settings, redis: Redis, clock: Clock, broker_is_well: IsWell
) -> ForwardedConsole | ConsoleSurface | None:
    """As the settings say; None where there is none. It connects to nothing before it is asked."""
    if not settings.ingress.console:
        return None
    if settings.console.own_process:
        return ForwardedConsole(settings, broker_is_well)
    from ingress.console.surface import ConsoleSurface

    return ConsoleSurface(settings, redis, clock, broker_is_well)
