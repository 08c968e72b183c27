"""The border to Redis: what goes wrong there becomes one of our errors, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.exceptions import ReadOnlyError, RedisError, ResponseError

from shared.errors import RedisRefused, RedisUnavailable


@asynccontextmanager
async def asking_redis(*, seconds: float | None = None) -> AsyncIterator[None]:
    """Around whatever asks Redis. It lasts `seconds` at most (None: the client's own time-outs).

    Raises RedisRefused for what Redis answered with an error, RedisUnavailable for all the rest.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except (RedisError, OSError) as error:
        raise redis_failure(error) from error


def redis_failure(error: RedisError | OSError) -> RedisUnavailable:
    """The error of ours for one of redis-py's or of the network."""
    if isinstance(error, ResponseError | ReadOnlyError):
        return RedisRefused(f"Redis refused: {error}")
    return RedisUnavailable(f"Redis did not answer: {str(error) or type(error).__name__}")
