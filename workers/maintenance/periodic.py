"""Do something again and again, whatever happened the last time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from random import Random

from shared.errors import Unavailable
from shared.telemetry.logs import get_logger


async def repeat(name: str, work: Callable[[], Awaitable[object]], *, every_seconds: float) -> None:
    """Run `work` every so often until cancelled; the pause varies, so that processes do not march.

    A server that is away is a line in the log; the next round tries again.
    """
    random, log = Random(), get_logger(__name__)
    while True:
        await asyncio.sleep(every_seconds * random.uniform(0.75, 1.25))
        try:
            await work()
        except Unavailable as error:
            log.warning("round_skipped", role=name, code=error.code)
        except Exception:
            log.exception("round_failed", role=name)


@asynccontextmanager
async def running(role: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run `role` beside everything else for as long as the context is open."""
    task = asyncio.create_task(role)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
