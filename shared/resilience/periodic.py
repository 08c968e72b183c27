"""Do something again and again, whatever happened the last time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Final

from shared.errors import Unavailable
from shared.resilience.kept_running import end_tasks
from shared.telemetry.logs import get_logger

GATHER_SECONDS: Final = 0.05
"""A round that is asked for waits so long for whoever else asks: a crowd costs twenty a second."""


async def repeat(
    name: str,
    work: Callable[[], Awaitable[object]],
    *,
    every_seconds: float,
    first_seconds: float | None = None,
    sooner: asyncio.Event | None = None,
) -> None:
    """Run `work` every so often until cancelled; the pause varies, so that processes do not march.

    The first round may come after another pause, of `first_seconds`. Whoever sets `sooner` ends
    the pause. A server that is away is a line in the log; the next
    round tries again.
    """
    random, log = Random(), get_logger(__name__)
    asked = asyncio.Event() if sooner is None else sooner
    pause = every_seconds if first_seconds is None else first_seconds
    while True:
        await _pause(pause * random.uniform(0.75, 1.25), asked)
        pause = every_seconds
        try:
            await work()
        except Unavailable as error:
            log.warning("round_skipped", role=name, code=error.code)
        except Exception:
            log.exception("round_failed", role=name)


async def _pause(seconds: float, asked: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asked.wait()
            await asyncio.sleep(GATHER_SECONDS)
    asked.clear()


@asynccontextmanager
async def running(role: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run `role` beside everything else for as long as the context is open."""
    task = asyncio.create_task(role)
    try:
        yield
    finally:
        await end_tasks(task)
