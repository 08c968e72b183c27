"""Roles that last as long as their process: no fault ends one for good, and their end ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from shared.telemetry.logs import get_logger

PAUSE_SECONDS: Final = 1.0
_CANCEL_AGAIN_SECONDS: Final = 1.0


async def kept_running(
    name: str, role: Callable[[], Awaitable[None]], *, pause_seconds: float = PAUSE_SECONDS
) -> None:
    """Play `role` until it returns by itself or is cancelled.

    It knows what may go wrong and waits for that itself. What else it raises is a fault of ours,
    or of a library: a line in the log, a pause, and it begins again.
    """
    log = get_logger(__name__)
    while True:
        try:
            return await role()
        except Exception:
            log.exception("role_failed", role=name)
        await asyncio.sleep(pause_seconds)


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them and return once all have ended, whatever they ended with.

    One cancellation may be lost: redis-py writes under `wait_for`, which in Python 3.11 keeps one
    for itself that comes with the end of what it waits for, and the task goes on for ever.
    """
    going = {each for each in tasks if not each.done()}
    while going:
        for each in going:
            each.cancel()
        _, going = await asyncio.wait(going, timeout=_CANCEL_AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)  # so that what they raised is seen
