"""Connecting again and again, each time a little later, until it is told to stop."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

_FIRST_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 5.0


def backoff_seconds() -> Iterator[float]:
    """Waits that double up to five seconds, each drawn at random so that clients do not march."""
    ceiling = _FIRST_SECONDS
    while True:
        yield random.uniform(ceiling / 2, ceiling)
        ceiling = min(2 * ceiling, _LONGEST_SECONDS)


async def wait_unless(stopping: asyncio.Event, seconds: float) -> None:
    """Sleeps `seconds`, or less when `stopping` is set meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
