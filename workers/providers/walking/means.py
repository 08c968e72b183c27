"""What every walk of a chain works with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

from shared.clock import Clock
from shared.telemetry.tracing import SilentTracing, Tracing
from workers.providers.walking.lateness import Hedging

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """The clock, the dice, how to wait, where spans go, what is late if that matters."""

    clock: Clock
    random: Random = field(default_factory=Random)
    sleep: Sleep = asyncio.sleep
    tracing: Tracing = field(default_factory=SilentTracing)
    hedging: Hedging | None = None
