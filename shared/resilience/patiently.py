"""Begin with a server that is away: wait for it, and say so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from shared.errors import Unavailable
from shared.telemetry.logs import get_logger

Result = TypeVar("Result")

PAUSE_SECONDS: Final = 2.0


async def patiently(
    what: str, attempt: Callable[[], Awaitable[Result]], *, pause_seconds: float = PAUSE_SECONDS
) -> Result:
    """What `attempt` returns once its server is there; each failure is a line in the log.

    Whatever is not Unavailable is raised: waiting does not help there.
    """
    while True:
        try:
            return await attempt()
        except Unavailable as error:
            get_logger(__name__).warning(
                "waiting", to=what, code=error.code, reason=error.message, again_in=pause_seconds
            )
        await asyncio.sleep(pause_seconds)
