"""Waiting for a response without asking again and again: one pub/sub connection per process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from shared.redis.reply_stream import wake_channel


class Wakeups:
    """Turns published wake-ups into asyncio events.

    A wake-up is a hint: it may be lost with Redis or come twice. Whoever listens reads the stream
    and the ledger, and looks by itself once in a while.
    """

    def __init__(self, redis: Redis, *, retry_seconds: float = 0.5) -> None:
        self._redis = redis
        self._retry_seconds = retry_seconds
        self._listeners: dict[bytes, set[asyncio.Event]] = defaultdict(set)
        self._pubsub: PubSub | None = None
        self._reader: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._unheard: set[bytes] = set()

    @asynccontextmanager
    async def listen(self, message_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set at each wake-up; whoever waits on it clears it.

        The subscription stands when this returns, unless Redis is away.
        """
        channel = wake_channel(message_id).encode()
        event = asyncio.Event()
        listeners = self._listeners[channel]
        listeners.add(event)
        try:
            if len(listeners) == 1:
                await self._subscribe(channel)
            yield event
        finally:
            listeners.discard(event)
            if not listeners:
                self._listeners.pop(channel, None)
                await self._unsubscribe(channel)

    async def close(self) -> None:
        """Stop reading; everybody who still listens is woken to look by himself."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._pubsub is not None:
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]
        self._wake_all()

    async def _subscribe(self, channel: bytes) -> None:
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_forever())
        try:
            pubsub = self._pubsub or await self._connect()
            await pubsub.subscribe(channel)
        except (RedisError, OSError):
            self._unheard.add(channel)

    async def _connect(self) -> PubSub:
        # One at a time: two first listeners would each take a connection, and one be forgotten.
        async with self._connecting:
            if self._pubsub is None:
                pubsub = self._redis.pubsub(ignore_subscribe_messages=False)
                await pubsub.connect()  # type: ignore[no-untyped-call]
                self._pubsub = pubsub
            return self._pubsub

    async def _unsubscribe(self, channel: bytes) -> None:
        self._unheard.discard(channel)
        if self._pubsub is None:
            return
        try:
            await self._pubsub.unsubscribe(channel)
        except (RedisError, OSError):
            return

    async def _read_forever(self) -> None:
        while True:
            try:
                pubsub = self._pubsub or await self._connect()
                await self._subscribe_unheard(pubsub)
                await self._read(pubsub)
            except (RedisError, OSError):
                # redis-py subscribes again to every channel it had when it reconnects; what was
                # published meanwhile is gone, so everybody looks once.
                self._wake_all()
                await asyncio.sleep(self._retry_seconds)

    async def _subscribe_unheard(self, pubsub: PubSub) -> None:
        """Subscribe for those who came while Redis was away."""
        if channels := tuple(self._unheard):
            await pubsub.subscribe(*channels)
            self._unheard.difference_update(channels)

    async def _read(self, pubsub: PubSub) -> None:
        message = await pubsub.get_message(timeout=None)
        if message is None:
            return
        # A confirmed subscription wakes as well: what was published just before it stood is read.
        if message["type"] in {"message", "subscribe"}:
            for event in self._listeners.get(message["channel"], ()):
                event.set()

    def _wake_all(self) -> None:
        for events in self._listeners.values():
            for event in events:
                event.set()
