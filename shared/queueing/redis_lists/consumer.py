"""Queues of Redis consumed on the event loop, whatever happens to Redis."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Any, Final

from kombu import Queue
from redis.exceptions import RedisError

from shared.queueing.broker_address import BrokerAddress
from shared.queueing.reading.consumer import (
    STEADY_SECONDS,
    Connect,
    ConsumerEvents,
    declare_queues,
)
from shared.queueing.redis_lists.keys import KombuKeys
from shared.queueing.redis_lists.messages import message_of, restorable, returned_of
from shared.queueing.redis_lists.session import RedisSession, Returned, Waiting, restore_abandoned
from shared.queueing.redis_lists.watching import ListWatchers
from shared.resilience.backoff import backoff_seconds, wait_unless
from shared.resilience.kept_running import kept_running
from shared.telemetry.logs import get_logger

_GROUP_LIMIT: Final = 64
"""How many messages one round trip may bring."""
_LOOK_SECONDS: Final = 1.0
"""How often it looks by itself: at lists of other priorities, and for what others abandoned."""
_LONGEST_WAIT_SECONDS: Final = 2.0


class RedisConsumer:
    """See `QueueConsumer`. What it takes is recorded in the same step in which it leaves its list.

    Where Redis goes away, what was taken stays this one's: it is settled when Redis is back. What a
    script took whose answer was lost is found by the moment at which it was recorded.
    """

    no_ack_consumers = None
    has_dead_letters = False

    def __init__(
        self, connect: Connect, *, queues: list[Queue], prefetch: int, events: ConsumerEvents
    ) -> None:
        self.opened = threading.Event()
        self._connect = connect
        self._queues = {queue.name: queue for queue in queues}
        self._prefetch = prefetch
        self._events = events
        self._log = get_logger(__name__)
        self._held: dict[str, Waiting] = {}
        self._held_for_later = 0
        self._random = Random()
        self._acknowledged: list[str] = []
        self._returned: list[Returned] = []
        self._work = asyncio.Event()
        self._may_wait = True
        self._has_new = True
        self._looked_at = 0.0
        self._watchers = ListWatchers(self._wake)
        self._in_doubt: list[float] = []
        self._stopping = asyncio.Event()
        self._session: RedisSession | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(kept_running("redis-consumer", self._keep))

    def consume(self, queue: Queue) -> None:
        self._queues[queue.name] = queue
        self._has_new = True
        self._wake()

    def cancel(self, name: str) -> None:
        self._queues.pop(name, None)
        self._watchers.leave(name)

    def set_prefetch(self, count: int) -> None:
        """Of all queues together."""
        self._prefetch = count
        self._wake()

    def hold(self, more: int) -> None:
        self._held_for_later += more
        self._wake()

    async def may_others_idle(self, name: str) -> bool | None:
        return True if name in self._queues else None  # it is asked for no message of ours

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:  # noqa: ARG002
        if self._held.pop(delivery_tag, None) is not None:
            self._acknowledged.append(delivery_tag)
            self._work.set()

    def basic_reject(self, delivery_tag: Any, requeue: bool) -> None:
        if not requeue:
            self.basic_ack(delivery_tag)
        elif (held := self._held.pop(delivery_tag, None)) is not None:
            self._returned.append(returned_of(delivery_tag, held))
            self._work.set()

    async def close(self) -> None:
        self._stopping.set()
        self._wake()
        if self._task is not None:
            await self._task

    def _wake(self) -> None:
        self._may_wait = True
        self._work.set()

    async def _keep(self) -> None:
        waits = backoff_seconds()
        while not self._stopping.is_set():
            opened_at = time.monotonic()
            try:
                await self._read()
            except (RedisError, OSError) as error:
                self._log.warning("queues lost", error=str(error) or repr(error))
            finally:
                await self._end_session()
            if time.monotonic() - opened_at > STEADY_SECONDS:
                waits = backoff_seconds()
            await wait_unless(self._stopping, min(next(waits), _LONGEST_WAIT_SECONDS))

    async def _read(self) -> None:
        session = self._session = self._open()
        self._may_wait = self._has_new = True
        is_told = False
        await self._recover(session)
        while not self._stopping.is_set():
            self._work.clear()
            if self._has_new:
                # Bindings, for exchanges that have a name: a flushed Redis has lost them.
                self._has_new = False
                queues = list(self._queues.values())
                await asyncio.to_thread(declare_queues, self._connect(), queues)
            await self._look_for_abandoned(session)
            if not await self._turn(session):
                await self._until_work(session)
            if not is_told:
                is_told = True
                self._log.info("queues opened", queues=sorted(self._queues))
                self.opened.set()
        await self._say_goodbye(session)

    def _open(self) -> RedisSession:
        connection = self._connect()
        options: dict[str, Any] = connection.transport_options or {}
        return RedisSession(
            BrokerAddress.of_connection(connection),
            KombuKeys.of(options),
            patience_seconds=options.get("socket_timeout") or connection.connect_timeout,
        )

    async def _turn(self, session: RedisSession) -> bool:
        """One trip, if there is anything to say or to ask."""
        room = self._room() if self._may_wait else 0
        if self._returned:
            returned, self._returned = self._returned, []
            await session.give_back(returned, first=False)
        if not room and not self._acknowledged:
            return False
        acknowledged, self._acknowledged = self._acknowledged, []
        at = self._moment()
        try:
            found, left = await session.exchange(acknowledged, list(self._queues), most=room, at=at)
        except BaseException:
            # Told again, should Redis have heard it already: that changes nothing.
            self._acknowledged = acknowledged + self._acknowledged
            self._in_doubt.append(at)
            raise
        if room:
            self._may_wait = left > 0 or any(not each.tag for each in found)
            await self._deliver(session, found)
        return True

    def _moment(self) -> float:
        """Now, as nobody else says it: what was recorded then was recorded for this one."""
        return time.time() - self._random.random() / 1000

    async def _recover(self, session: RedisSession) -> None:
        """Deliver what was taken by trips whose answers were lost."""
        for at in list(self._in_doubt):
            await self._deliver(session, await session.recorded(at))
            self._in_doubt.remove(at)

    def _room(self) -> int:
        if not self._prefetch:
            return _GROUP_LIMIT
        return max(0, min(_GROUP_LIMIT, self._prefetch + self._held_for_later - len(self._held)))

    async def _deliver(self, session: RedisSession, found: Sequence[Waiting]) -> None:
        for waiting in found:
            if waiting.queue in self._queues:
                # The queue that had its turn is the last of the next round.
                self._queues[waiting.queue] = self._queues.pop(waiting.queue)
            taken = waiting if waiting.tag else await self._take(session, waiting)
            if taken is not None and taken.tag not in self._held:
                self._held[taken.tag] = taken
                message = message_of(self, tag=taken.tag, element=taken.element, queue=taken.queue)
                self._events.on_message(message)

    async def _take(self, session: RedisSession, waiting: Waiting) -> Waiting | None:
        """An element that only Python can make an envelope of; None if another took it."""
        tag, record, sound = restorable(waiting.element, waiting.queue)
        at = self._moment()
        self._in_doubt.append(at)
        is_ours = await session.take(waiting, tag=tag, record=record, at=at)
        self._in_doubt.remove(at)
        return waiting._replace(tag=tag, element=sound) if is_ours else None

    async def _until_work(self, session: RedisSession) -> None:
        if self._room():
            self._watchers.watch(session, self._queues)
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._work.wait()
        except TimeoutError:
            self._may_wait = True
        self._watchers.raise_failure()

    async def _look_for_abandoned(self, session: RedisSession) -> None:
        """Once a second, for all readers of this Redis: what is due again goes back to its list."""
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._looked_at = time.monotonic()
            if await session.has_abandoned():
                await asyncio.to_thread(restore_abandoned, self._connect())
                self._may_wait = True

    async def _say_goodbye(self, session: RedisSession) -> None:
        held, self._held = self._held, {}
        returned = self._returned + [returned_of(tag, each) for tag, each in held.items()]
        self._returned = []
        await session.exchange(self._acknowledged, (), most=0, at=0)
        self._acknowledged = []
        if returned:
            await session.give_back(returned, first=True)

    async def _end_session(self) -> None:
        session, self._session = self._session, None
        await self._watchers.end()
        if session is not None:
            await session.close()
