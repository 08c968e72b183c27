"""Roles that last as long as their process: a fault in one must not end it for good."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from shared.telemetry.logs import get_logger

PAUSE_SECONDS: Final = 1.0


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
