"""Waiting for another process, which cannot set an event of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(holds: Callable[[], Awaitable[bool]], *, every_seconds: float = 0.03) -> None:
    """Return once `holds`; the caller bounds the wait."""
    while not await holds():  # noqa: ASYNC110 - what is waited for happens in another process
        await asyncio.sleep(every_seconds)
