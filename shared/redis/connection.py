"""The border to Redis: what goes wrong there becomes one of our errors, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from redis._parsers import _AsyncHiredisParser
from redis.asyncio.connection import (
    AbstractConnection,
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeout

from shared.errors import RedisRefused, RedisUnavailable

_MOST_KEPT: Final = 4
"""Scripts that run side by side as a rule; more of them take connections as any command does."""


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


class _Telling(AbstractConnection):
    """Says how it broke in redis-py's words, and lets go of a server that may not be written to.

    uvloop raises a bare RuntimeError where one writes to a connection that its peer has reset.
    That is neither a RedisError nor an OSError, so every caller's own way without Redis would be
    passed by. Everything that is sent to Redis, by scripts, commands and pipelines, passes here.

    A primary that was made a replica keeps its connections and refuses whatever they write. The
    name in the address leads to the new one: whoever asks next connects anew. Not before: a
    transaction that was refused has more replies to be read.
    """

    _is_outdated = False

    async def send_packed_command(
        self, command: bytes | str | Iterable[bytes], check_health: bool = True
    ) -> None:
        if self._is_outdated:
            self._is_outdated = False
            await self.disconnect(nowait=True)
        try:
            await super().send_packed_command(command, check_health)
        except RuntimeError as error:
            raise _reset(error) from error

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        try:
            return await super().read_response(*arguments, **options)
        except ReadOnlyError:
            self._is_outdated = True
            raise

    @property
    def is_at_end(self) -> bool:
        """Whether Redis has closed it."""
        return self._reader is not None and self._reader.at_eof()

    async def abandon(self) -> None:
        """Disconnect, and send nothing of what waits to be sent: nobody counts on it any more."""
        if self._writer is not None:
            self._writer.transport.abort()
        await self.disconnect(nowait=True)

    async def ask(self, packed: bytes, *, replies: int) -> list[Any]:
        """Send what is packed and read so many replies, all within the time-out of one.

        An error that Redis answers with is one of the replies.
        """
        writer, parser = self._writer, cast(_AsyncHiredisParser, self._parser)
        if writer is None:
            raise RedisConnectionError("The connection to Redis is closed.")
        try:
            # One timeout for all of it: one for the sending and each reply costs more than either.
            async with asyncio.timeout(self.socket_timeout):
                writer.write(packed)
                await writer.drain()
                return [await parser.read_response() for _ in range(replies)]
        except TimeoutError as error:
            raise RedisTimeout("Redis did not answer in time.") from error
        except RuntimeError as error:
            raise _reset(error) from error


def _reset(error: RuntimeError) -> RedisConnectionError:
    return RedisConnectionError(f"Redis reset the connection: {error}")


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


class KeepingPool(BlockingConnectionPool):
    """A pool whose scripts keep up to four of its connections, which are closed with it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kept: list[Any] = []

    async def ensure_connection(self, connection: Any) -> None:
        # redis-py gives out what Redis has closed, where it may be told of maintenance.
        if connection.is_at_end:
            await connection.disconnect(nowait=True)
        await super().ensure_connection(connection)

    async def ask(self, packed: bytes, *, replies: int) -> list[Any]:
        """As a connection does, which is made sure of before: it may have broken since it was used.

        Raises RedisError or OSError.
        """
        if self._kept:
            connection = self._kept.pop()
        else:
            connection = await self.get_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
            answered: list[Any] = await connection.ask(packed, replies=replies)
        except BaseException:
            # Whoever got it next would read the replies that were not read here.
            await connection.abandon()
            await self.release(connection)
            raise
        if any(isinstance(one, ReadOnlyError) for one in answered):
            await connection.disconnect(nowait=True)
        if len(self._kept) < _MOST_KEPT:
            self._kept.append(connection)
        else:
            await self.release(connection)
        return answered


def tell_resets(pool: ConnectionPool) -> None:
    """Let the pool's connections raise redis.ConnectionError for every way in which they break."""
    pool.connection_class = _TELLING[pool.connection_class]
