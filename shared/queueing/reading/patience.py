"""Waiting out a server that is away, message in hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.errors import Unavailable
from shared.resilience.backoff import backoff_seconds

T = TypeVar("T")


async def until_available(act: Callable[[], Awaitable[T]]) -> T:
    """Repeats `act` for as long as it raises Unavailable, a little later each time."""
    for seconds in backoff_seconds():
        try:
            return await act()
        except Unavailable as error:
            await asyncio.sleep(max(seconds, error.retry_after_seconds or 0.0))
    raise AssertionError("backoff_seconds never ends")
