"""Work on the event loop that is no job: it has no message, no limit and no slot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from celery.utils.log import get_logger

logger = get_logger(__name__)

Errand = Callable[[], Awaitable[None]]


async def carry_out(errand: Errand, tell: Callable[[bool], None]) -> None:
    """Tell whether it succeeded; a shutdown cancels it and tells nobody."""
    try:
        await errand()
    except Exception:
        # The border of one errand, as each job has its own.
        logger.exception("An errand failed")
        tell(False)
    else:
        tell(True)
