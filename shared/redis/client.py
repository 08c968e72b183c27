"""The one way to open a Redis client: every call is bounded in time."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from shared.redis.connection import KeepingPool, tell_resets
from shared.redis.encryption import redis_encryption
from shared.settings.servers import RedisSettings

_CONNECTIONS: Final = 50


def open_redis(settings: RedisSettings) -> Redis:
    """A client for bytes. Connecting and every call fail within `timeout_seconds`; no retries.

    A slow Redis is worse than a dead one, so callers state what they do without it. More calls at
    once than there are connections wait for their turn, just as long.
    """
    pool = KeepingPool.from_url(
        str(settings.url),
        max_connections=_CONNECTIONS,
        timeout=settings.timeout_seconds,
        decode_responses=False,
        socket_timeout=settings.timeout_seconds,
        socket_connect_timeout=settings.timeout_seconds,
        socket_keepalive=True,
        health_check_interval=0,
        retry=Retry(NoBackoff(), 0),
        **redis_encryption(settings.url.scheme, settings.tls),
    )
    tell_resets(pool)
    return Redis.from_pool(pool)
