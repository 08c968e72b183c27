"""Where summaries are: in Redis, by tenant and the digest of what they stand for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import LockError, RedisError

from shared.telemetry.logs import get_logger
from workers.context.summary.talk import Talk


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands for the first `covered` items of a talk."""

    text: str
    covered: int


class SummaryStore:
    """Finds and keeps summaries; what is lost is made again.

    Nothing raises when Redis is away: there are no summaries then, and nobody makes any. A summary
    that is not looked at for `ttl_seconds` is forgotten.
    """

    def __init__(self, redis: Redis, *, ttl_seconds: float) -> None:
        self._redis = redis
        self._ttl_seconds = int(ttl_seconds)
        self._log = get_logger(__name__)

    async def find(self, talk: Talk) -> Summary | None:
        """The one that covers most of the talk."""
        lengths = list(reversed(talk.checkpoints))
        if not lengths:
            return None
        keys = [_key(talk, talk.checkpoints[length]) for length in lengths]
        try:
            texts = await self._redis.mget(keys)
            for length, key, text in zip(lengths, keys, texts, strict=True):
                if isinstance(text, bytes):
                    await self._redis.expire(key, self._ttl_seconds)
                    return Summary(text.decode(), length)
        except (RedisError, OSError) as error:
            self._log.warning("summary_not_read", error=str(error))
        return None

    async def keep(self, talk: Talk, summary: Summary) -> None:
        """Put it where the next turn finds it."""
        key = _key(talk, talk.checkpoints[summary.covered])
        try:
            await self._redis.set(key, summary.text.encode(), ex=self._ttl_seconds)
        except (RedisError, OSError) as error:
            self._log.warning("summary_not_kept", error=str(error))

    @asynccontextmanager
    async def alone(self, talk: Talk, *, seconds: float) -> AsyncIterator[bool]:
        """Whether nobody else in the fleet summarises this conversation; `seconds` at the most."""
        lock = self._redis.lock(_key(talk, f"{talk.root}:lease"), timeout=seconds, blocking=False)
        try:
            held = await lock.acquire()
        except (RedisError, OSError):
            held = False
        try:
            yield held
        finally:
            if held:
                with suppress(LockError, RedisError, OSError):  # it ends with its time
                    await lock.release()


def _key(talk: Talk, name: str) -> str:
    return f"forebay:{{{talk.tenant_id}}}:summary:{name}"
