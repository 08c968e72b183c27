"""Connections that say in redis-py's own words when they broke, whatever the event loop said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as RedisConnectionError


class _Telling(AbstractConnection):
    """uvloop raises a bare RuntimeError where one writes to a connection that its peer has reset.

    That is neither a RedisError nor an OSError, so every caller's own way without Redis would be
    passed by. Everything that is sent to Redis, by scripts, commands and pipelines, passes here.
    """

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            raise RedisConnectionError(f"Redis reset the connection: {error}") from error


class _TellingTcp(_Telling, Connection):
    """Plain TCP."""


class _TellingTls(_Telling, SSLConnection):
    """TLS."""


class _TellingUnix(_Telling, UnixDomainSocketConnection):
    """A socket file."""


_TELLING: Final[dict[type[Any], type[AbstractConnection]]] = {
    Connection: _TellingTcp,
    SSLConnection: _TellingTls,
    UnixDomainSocketConnection: _TellingUnix,
}


def tell_resets(pool: ConnectionPool) -> None:
    """Let the pool's connections raise redis.ConnectionError for every way in which they break."""
    pool.connection_class = _TELLING[pool.connection_class]
