"""All that makes what was said go, on connections of its own: workers and the command share it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from shared.clock import Clock
from shared.erasing.eraser import Eraser
from shared.erasing.erasures import Erasures
from shared.erasing.traces import RedisTraces
from shared.erasing.unstored import UnstoredMessages
from shared.persistence.engine import Database
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.reservations.reservations import Reservations
from shared.settings import Settings

_STEPS_A_ROUND: Final = 20


@dataclass(frozen=True, slots=True)
class Erasing:
    """One round of it; raises Unavailable. Any number may do rounds side by side."""

    erasures: Erasures
    eraser: Eraser
    unstored: UnstoredMessages

    async def __call__(self) -> None:
        for _ in range(_STEPS_A_ROUND):
            if not await self.unstored.forget():
                break
        for _ in range(_STEPS_A_ROUND):
            erasure = await self.erasures.due()
            if erasure is None:
                break
            await self.eraser.step(erasure)
        await self.erasures.forget_old()


@asynccontextmanager
async def open_erasing(
    settings: Settings, database: Database, clock: Clock
) -> AsyncIterator[Erasing]:
    """For as long as the context is open; nothing connects before it is needed."""
    redis = open_redis(settings.redis)
    replies = ReplyStream(redis, ttl_seconds=settings.redis.reply_ttl_seconds)
    reservations = Reservations(redis, clock)
    erasures = Erasures(database, clock)
    traces = RedisTraces(redis, database)
    try:
        yield Erasing(
            erasures,
            Eraser(database, erasures, traces, replies, reservations, clock),
            UnstoredMessages(database, replies, settings.ledger, clock),
        )
    finally:
        await reservations.close()
        await replies.close()
        await redis.aclose()
