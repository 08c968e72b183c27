"""A response's events in Redis: written by the worker, read by any door, resumable by number."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, cast

from redis.asyncio import Redis

from shared.errors import RedisUnavailable
from shared.redis.connection import asking_redis
from shared.redis.scripts import LuaScript, ScriptCall, ScriptRun, load_script
from shared.replies.wakeups import WAKE_PREFIX
from shared.resilience.group_commit import GroupCommit

FIRST_WORKER_SEQUENCE: Final = 2
"""0 and 1 are `response.created` and `response.queued`, which every door can say by itself."""


@dataclass(frozen=True, slots=True)
class _Append:
    message_id: str
    attempt: int
    events: Sequence[bytes]
    mark: str = ""
    """As reply_stream.lua takes it."""


class ReplyStream:
    """The events of each streamed response, kept for `ttl_seconds` after the last one.

    Losing the stream loses no answer: the ledger has it, and a door that finds no event asks there.
    Of a response that is not streamed nothing is kept.
    """

    def __init__(self, redis: Redis, *, ttl_seconds: int) -> None:
        self._redis = redis
        self._ttl_seconds = ttl_seconds
        self._script: LuaScript = load_script("shared.replies", "reply_stream.lua")
        self._appends: GroupCommit[_Append, int] = GroupCommit(self._append_all, concurrency=4)

    async def append(self, message_id: str, attempt: int, events: Sequence[bytes]) -> bool:
        """Write events and wake the waiters; False when a later attempt has taken over.

        Raises RedisUnavailable.
        """
        return await self._appends.submit(_Append(message_id, attempt, events)) >= 0

    def ending(
        self, message_id: str, attempt: int, event: bytes, *, goes_on: bool = False
    ) -> ScriptRun:
        """What writes the event that ends a response, where its stream was begun, and wakes the
        waiters.

        Where it was not, they are told the event itself. One that `goes_on` (a human has it, and
        answers later) is kept in any case. It answers below zero when a later attempt has taken
        over. Run again it wakes again, and the stream has the event once.
        """
        mark = "handoff" if goes_on else "end"
        return self._script, self._call(_Append(message_id, attempt, [event], mark))

    async def wake(self, message_id: str) -> None:
        """Tell whoever waits to look again; without Redis they look by themselves after a while."""
        with suppress(RedisUnavailable):
            async with asking_redis():
                await self._redis.publish(WAKE_PREFIX + message_id, b"")

    async def wake_all(self, message_ids: Sequence[str]) -> None:
        """The same for several, in one round trip."""
        if not message_ids:
            return
        with suppress(RedisUnavailable):
            async with asking_redis(), self._redis.pipeline(transaction=False) as pipeline:
                for message_id in message_ids:
                    pipeline.publish(WAKE_PREFIX + message_id, b"")
                await pipeline.execute()

    async def read(self, message_id: str, *, after: int) -> list[tuple[int, bytes]]:
        """The events numbered above `after`, in order; raises RedisUnavailable."""
        start = f"({max(after, 0)}-0" if after >= 0 else "-"
        async with asking_redis():
            entries = await self._redis.xrange(_stream(message_id), min=start)
        # The client answers in bytes; its types cover the decoding client as well.
        pairs = cast("list[tuple[bytes, dict[bytes, bytes]]]", entries)
        return [(int(entry_id.split(b"-")[0]), fields[b"e"]) for entry_id, fields in pairs]

    async def delete(self, message_id: str) -> None:
        """Forget the events of one response; raises RedisUnavailable."""
        await self.delete_all([message_id])

    async def delete_all(self, message_ids: Sequence[str]) -> None:
        """The same for several, in one round trip; raises RedisUnavailable."""
        async with asking_redis(), self._redis.pipeline(transaction=False) as pipeline:
            for message_id in message_ids:
                pipeline.unlink(_stream(message_id), _writer(message_id))
            await pipeline.execute()

    async def close(self) -> None:
        await self._appends.close()

    async def _append_all(self, appends: list[_Append]) -> list[int | BaseException]:
        return await self._script.call_all(self._redis, [self._call(one) for one in appends])

    def _call(self, append: _Append) -> ScriptCall:
        return ScriptCall(
            (_stream(append.message_id), _writer(append.message_id)),
            (
                WAKE_PREFIX + append.message_id,
                append.attempt,
                self._ttl_seconds,
                FIRST_WORKER_SEQUENCE,
                append.mark,
                *append.events,
            ),
        )


def _stream(message_id: str) -> str:
    return f"forebay:{{{message_id}}}:events"


def _writer(message_id: str) -> str:
    return f"forebay:{{{message_id}}}:attempt"
