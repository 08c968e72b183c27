"""Who is told of messages that a batch brought: the dispatcher, or the workers themselves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.dispatch.credit import Credits, Wanted, granted
from shared.dispatch.hints import DispatchHints
from shared.errors import BrokerUnavailable
from shared.messages.lane import Lane, WakeUp
from shared.messages.record import MessageRecord
from shared.queueing.publisher import Publisher
from shared.redis.guarded import GuardedRedis

_NOTHING: Final = (Wanted(Lane.BATCH, 0),)


class LineSender:
    """While somebody dispatches, messages of batches are held for him; else workers are woken.

    Nothing is raised: what is not heard of is found in the ledger, by him or by the reconciler.
    """

    def __init__(self, redis: Redis, publisher: Publisher, clock: Clock) -> None:
        self._redis = GuardedRedis(redis, clock)
        self._hints = DispatchHints(redis, clock)
        self._publisher = publisher
        self._credits = Credits()

    async def is_held(self) -> bool:
        """Whether the next messages are to be held."""
        outcomes = await self._redis.run_each([self._credits.taking(_NOTHING)])
        told = granted(None if outcomes is None else outcomes[0], _NOTHING)
        return told[Lane.BATCH] is not None

    async def send(self, records: Sequence[MessageRecord]) -> None:
        """They are on disk."""
        woken = [
            WakeUp(each.id, each.lane, each.deadline) for each in records if each.held_at is None
        ]
        if woken:
            with suppress(BrokerUnavailable):
                await self._publisher.publish(woken)
        if len(woken) < len(records):
            self._hints.note(Lane.BATCH)

    async def close(self) -> None:
        """Stop asking."""
        await self._hints.close()
        await self._redis.close()
