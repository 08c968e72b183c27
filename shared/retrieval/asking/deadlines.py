"""A part of a search that may fail without the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import NamedTuple, TypeVar

from shared.errors import ForebayError, InvalidRequest
from shared.telemetry.logs import get_logger

_T = TypeVar("_T")


class Dropped(NamedTuple):
    """Why a part is missing: an error's code, or `timeout`."""

    reason: str


async def within(seconds: float, asking: Awaitable[_T]) -> _T | Dropped:
    """What it gives in time. A question that is no good is the asker's, and raised."""
    try:
        async with asyncio.timeout(seconds):
            return await asking
    except TimeoutError:
        return Dropped("timeout")
    except InvalidRequest:
        raise
    except ForebayError as error:
        # Not its sentence: a server may quote the question in it.
        cause = type(error.__cause__ or error).__name__
        get_logger(__name__).warning("search_leg_dropped", code=error.code, cause=cause)
        return Dropped(error.code)
