"""The one way to open a Redis client: every call is bounded in time."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.settings.servers import RedisSettings


def open_redis(settings: RedisSettings) -> Redis:
    """A client for bytes. Connecting and every call fail within `timeout_seconds`; no retries.

    A slow Redis is worse than a dead one, so callers state what they do without it.
    """
    return Redis.from_url(
        str(settings.url),
        decode_responses=False,
        socket_timeout=settings.timeout_seconds,
        socket_connect_timeout=settings.timeout_seconds,
        socket_keepalive=True,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
    )
