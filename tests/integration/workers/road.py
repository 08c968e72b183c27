"""The two ends of the road without the door: messages are accepted here and found answered."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy import Row, delete, select

from shared.clock import SystemClock
from shared.identifiers import new_response_id
from shared.messages.lane import Lane, WakeUp
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import Accepted, AlreadyAccepted
from shared.persistence.statements import transaction
from shared.persistence.tables import attempt, dead_letter, role_lease, worker_lease
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import Publisher, build_publisher
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import wake_channel
from shared.telemetry.metrics import Metrics
from tests.integration.workers.stack import Stack

T = TypeVar("T")
TENANT = "ten_1"


class Road:
    """Accepts as the door does, ledger first, and looks at what became of it."""

    def __init__(
        self, database: Database, ledger: MessageLedger, publisher: Publisher, replies: ReplyStream
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.publisher = publisher
        self.replies = replies
        self.clock = SystemClock()
        self.told: dict[str, dict[str, Any]] = {}
        """By message, the event that ended it, where that is told and not kept."""

    async def hear(self, pubsub: PubSub) -> None:
        """Note what is told to waiters, for as long as Redis is there."""
        with suppress(RedisError):
            async for said in pubsub.listen():  # type: ignore[no-untyped-call]
                if said["type"] == "pmessage" and said["data"].startswith(b"{"):
                    message_id = said["channel"].decode().removeprefix(wake_channel(""))
                    self.told[message_id] = json.loads(said["data"])

    async def accept(
        self, text: str, *, wake: bool = True, seconds: float = 60, **changes: Any
    ) -> MessageRecord:
        """One message on disk and, with `wake`, on its way to a worker.

        `seconds` is its deadline; `changes` are columns, `body` adds fields of the body.
        """
        record = self._record(text, seconds, changes)
        await self.ledger.accept(record)
        if wake:
            self.wake(record)
        return record

    async def post(self, text: str, **changes: Any) -> Accepted | AlreadyAccepted:
        """As a producer with an idempotency key does; raises LedgerUnavailable."""
        outcome = await self.ledger.accept(self._record(text, 600, changes))
        if isinstance(outcome, Accepted):
            self.wake(outcome.record)
        return outcome

    def _record(self, text: str, seconds: float, changes: dict[str, Any]) -> MessageRecord:
        now = self.clock.now()
        body = {"input": text, **changes.pop("body", {})}
        fields = {
            "id": new_response_id(),
            "tenant_id": TENANT,
            "lane": Lane.STANDARD,
            "body": json.dumps(body),
            "accepted_at": now,
            "deadline": now + timedelta(seconds=seconds),
        }
        return MessageRecord(**(fields | changes))

    def wake(self, record: MessageRecord) -> None:
        """Hand a wake-up to the publisher, as the door does: nobody waits for it."""
        self.publisher.submit(WakeUp(record.id, record.lane, record.deadline))

    async def until(
        self, record: MessageRecord, *states: ResponseState, seconds: float = 60
    ) -> MessageRecord:
        """The record once it is in one of the states."""

        async def found() -> MessageRecord | None:
            row = await self.ledger.find(record.id)
            return row if row is not None and row.state in states else None

        return await eventually(found, f"{record.id} in {states}", seconds=seconds)

    async def ended(self, record: MessageRecord, *, seconds: float = 60) -> MessageRecord:
        """The record once it has ended or waits for a human."""
        ends = [state for state in ResponseState if state.is_terminal]
        return await self.until(record, *ends, ResponseState.REQUIRES_ACTION, seconds=seconds)

    async def events(self, record: MessageRecord) -> list[tuple[int, dict[str, Any]]]:
        """What the doors would stream of it so far, with the sequence numbers."""
        stored = await self.replies.read(record.id, after=-1)
        return [(number, json.loads(event)) for number, event in stored]

    async def closing_event(self, record: MessageRecord, *, seconds: float = 60) -> dict[str, Any]:
        """The event that ends its stream, once it is there."""

        async def found() -> dict[str, Any] | None:
            if record.id in self.told:
                return self.told[record.id]
            events = await self.events(record)
            return events[-1][1] if events and "response" in events[-1][1] else None

        async def closed() -> dict[str, Any] | None:
            event = await found()
            return event if event and event["type"] != "response.in_progress" else None

        return await eventually(closed, "the closing event", seconds=seconds)

    async def attempts(self, record: MessageRecord) -> list[Row[Any]]:
        """The calls of providers that were booked for it, in order."""
        query = select(attempt).where(attempt.c.message_id == record.id)
        async with self.database.relaxed.connect() as connection:
            rows = await connection.execute(query.order_by(attempt.c.claim, attempt.c.ordinal))
            return list(rows.all())

    async def dead_letters(self, message_id: str | None = None) -> list[Row[Any]]:
        """The dead letters of one message, or all."""
        query = select(dead_letter)
        if message_id is not None:
            query = query.where(dead_letter.c.message_id == message_id)
        async with self.database.relaxed.connect() as connection:
            return list((await connection.execute(query.order_by(dead_letter.c.created_at))).all())


async def eventually(
    look: Callable[[], Awaitable[T | None]], what: str, *, seconds: float = 60
) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := await look()):
        assert time.monotonic() < deadline, f"still not there after {seconds:g} s: {what}"
        await asyncio.sleep(0.02)
    return found


async def forget_leases(database: Database, holder: str | None = None) -> None:
    """As if who holds one, or all who do, had died so long ago that they are over.

    Leases are long: a worker on a machine that stands still must not lose its turns.
    """
    ended = [delete(worker_lease), delete(role_lease)]
    if holder is not None:
        ended[0] = ended[0].where(worker_lease.c.worker == holder)
        ended[1] = ended[1].where(role_lease.c.holder == holder)
    async with transaction(database.durable) as connection:
        for each in ended:
            await connection.execute(each)


@asynccontextmanager
async def open_road(stack: Stack) -> AsyncIterator[Road]:
    """A road to and from the servers of `stack`, connected."""
    settings = stack.settings
    async with AsyncExitStack() as opened:
        database = open_database(settings.ledger)
        opened.push_async_callback(database.close)
        ledger = MessageLedger(database, settings.ledger, SystemClock(), Metrics())
        opened.push_async_callback(ledger.close)
        await asyncio.to_thread(declare_topology, settings.broker)
        publisher = build_publisher(settings.broker, Metrics())
        await publisher.start()
        opened.push_async_callback(publisher.close)
        redis = open_redis(settings.redis)
        opened.push_async_callback(redis.aclose)
        replies = ReplyStream(redis, ttl_seconds=settings.redis.reply_ttl_seconds)
        opened.push_async_callback(replies.close)
        pubsub = redis.pubsub()
        opened.push_async_callback(pubsub.aclose)
        await pubsub.psubscribe(wake_channel("*"))
        road = Road(database, ledger, publisher, replies)
        hearing = asyncio.create_task(road.hear(pubsub))
        opened.push_async_callback(asyncio.wait, [hearing])
        opened.callback(hearing.cancel)
        yield road
