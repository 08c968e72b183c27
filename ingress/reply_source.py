"""Where a door hears of a response: events in Redis while it has them, the ledger always."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress

from redis.asyncio import Redis

from ingress.ledger_watch import LedgerWatch, Watched
from ingress.prompt_ledger import PromptLedger
from shared.clock import Clock
from shared.dispatch.flows import Flow, FlowBoard
from shared.dispatch.waiting import is_held, wait_of
from shared.errors import RedisUnavailable, Unavailable
from shared.messages.record import MessageRecord
from shared.messages.response import ResponseWait
from shared.redis.guarded import GuardedRedis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wake, Wakeups, wake_channel


class ReplySource:
    """Reads without raising: a server that is away has nothing to say, and is asked again later."""

    def __init__(
        self,
        ledger: PromptLedger,
        watch: LedgerWatch,
        stream: ReplyStream,
        wakeups: Wakeups,
        redis: Redis,
        clock: Clock,
        *,
        redis_timeout_seconds: float,
    ) -> None:
        self._ledger = ledger
        self._watch = watch
        self._stream = stream
        self._wakeups = wakeups
        self._redis = GuardedRedis(redis, clock, timeout_seconds=redis_timeout_seconds)
        self._flows = FlowBoard(self._redis)
        self._clock = clock

    def listen(self, message_id: str) -> AbstractAsyncContextManager[Wake]:
        """An event that is set when there may be news."""
        return self._wakeups.listen(message_id)

    def watching(self, record: MessageRecord, wake: Wake) -> AbstractContextManager[Watched]:
        """While inside, news that only the ledger has sets `wake` too."""
        return self._watch.watching(record, wake)

    async def events(self, message_id: str, *, after: int) -> list[tuple[int, bytes]]:
        """The events above `after` that Redis has."""
        try:
            async with self._redis.asking():
                return await self._stream.read(message_id, after=after)
        except RedisUnavailable:
            return []

    async def current(self, record: MessageRecord) -> MessageRecord | None:
        """The record as it is now; unchanged while the ledger is away, None once deleted."""
        try:
            return await self._ledger.find(record.id, tenant_id=record.tenant_id)
        except Unavailable:
            return record

    async def waiting(self, record: MessageRecord) -> ResponseWait | None:
        """Why it is held and for how long; None where it is not, or nobody can tell now."""
        if not is_held(record):
            return None
        try:
            told = await self._flows.of(Flow(record.lane, record.tenant_id))
        except RedisUnavailable:
            return None
        return wait_of(record, told, self._clock.now())

    async def wake(self, listener: str) -> None:
        """Tell whoever waits for a response, at any door, that the ledger has news of it.

        Or a worker, by its name, of what it holds.
        """
        with suppress(RedisUnavailable):
            async with self._redis.asking() as redis:
                await redis.publish(wake_channel(listener), b"ledger")

    async def forget(self, message_id: str) -> None:
        """Drop the events of a deleted response; without Redis they expire by themselves."""
        with suppress(RedisUnavailable):
            async with self._redis.asking():
                await self._stream.delete(message_id)

    async def close(self) -> None:
        await self._watch.close()
        await self._redis.close()
