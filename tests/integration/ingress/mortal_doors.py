"""Doors that die on the way to a commit, over a ledger and a Redis that may freeze and forget."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

import msgspec

from ingress.acceptance import Acceptance, AcceptedMessage
from ingress.admission.admission import Admission
from ingress.prompt_ledger import PromptLedger
from shared.accepting.arrival import Arrival
from shared.accepting.entrance import Entrance
from shared.accepting.ledger_entry import LedgerEntries
from shared.clock import SystemClock
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.identifiers import new_response_id
from shared.messages.body import Body, encode_body
from shared.messages.record import MessageRecord, Surface
from shared.messages.stored_body import Contents, KeptBody
from shared.messages.tenant import Plan, Tenant
from shared.persistence.engine import open_database
from shared.persistence.ledger.accepting import AcceptOutcome
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.queueing.publisher import build_publisher
from shared.redis.client import open_redis
from shared.settings.door import LaneSettings, LimitSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, LedgerSettings, RedisSettings
from shared.telemetry.metrics import Metrics
from tests.servers.redis import RedisServer

T = TypeVar("T")
_PATIENCE_SECONDS = 30.0
_NO_LIMIT = Plan(*[1_000_000_000] * 5)


class _LastSteps(PromptLedger):
    """The ledger of a door that is killed before or after its commit: nothing comes after that."""

    def __init__(
        self,
        ledger: MessageLedger,
        accepts: ContentLedger,
        *,
        is_committed: bool,
        died: asyncio.Event,
    ) -> None:
        super().__init__(ledger, accepts, timeout_seconds=_PATIENCE_SECONDS)
        self._is_committed = is_committed
        self._died = died

    async def accept(self, record: MessageRecord, contents: Contents) -> AcceptOutcome:
        if self._is_committed:
            await super().accept(record, contents)
        self._died.set()
        await asyncio.Event().wait()
        raise AssertionError("the dead do not go on")


class MortalDoors:
    """One door at a time; each stands in for a process, and what it knew dies with it."""

    def __init__(self, redis: RedisServer, ledger_url: str) -> None:
        self._redis = redis
        self._settings = LedgerSettings(url=ServerUrl(ledger_url))
        self._clock = SystemClock()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._dying: list[asyncio.Task[object]] = []
        self._run(self._open())
        self.be_another_tenant()

    def be_another_tenant(self) -> None:
        """Keys mean nothing from here on; with a new door."""
        self.thaw()
        self._tenant = Tenant(id=f"ten_{new_response_id()}", name="any", plan=_NO_LIMIT)
        self.replace_door()

    def replace_door(self) -> None:
        """Another process from now on: it has seen no Redis yet, present or away."""
        self._door = self._run(
            self._build(
                PromptLedger(self._ledger, self._accepts, timeout_seconds=_PATIENCE_SECONDS)
            )
        )

    def post(self, key: str) -> str | None:
        """The id that the caller is told, None when it is refused."""
        outcome = self._run(self._door.accept(self._arrival(key)))
        return outcome.record.id if isinstance(outcome, AcceptedMessage) else None

    def post_and_die(self, key: str, *, is_committed: bool) -> None:
        """The caller is told nothing, and this door never does anything again."""
        self._run(self._die(key, is_committed=is_committed))
        self.replace_door()

    def exists(self, message_id: str) -> bool:
        found = self._run(self._ledger.find(message_id, tenant_id=self._tenant.id))
        return found is not None

    def freeze(self) -> None:
        self._redis.pause()

    def thaw(self) -> None:
        """What was sent to it meanwhile is done before this returns."""
        self._redis.resume()
        assert self._redis.command("PING") == b"+PONG\r\n"

    def flush(self) -> None:
        """Redis comes back with nothing."""
        self.thaw()
        self._redis.flush_database(0)

    def close(self) -> None:
        self.thaw()
        self._run(self._end())
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _open(self) -> None:
        database = open_database(self._settings)
        self._stack.push_async_callback(database.close)
        self._ledger = MessageLedger(database, self._settings, self._clock, Metrics())
        self._stack.push_async_callback(self._ledger.close)
        store = DatabaseContent(database)
        self._accepts = ContentLedger(self._ledger, database, store, self._clock)
        self._stack.push_async_callback(self._accepts.close)

    async def _build(self, ledger: PromptLedger) -> Acceptance:
        settings = RedisSettings(url=ServerUrl(self._redis.url), timeout_seconds=0.1)
        client, metrics = open_redis(settings), Metrics()
        admission = Admission(client, LimitSettings(), self._clock, metrics)
        self._stack.push_async_callback(client.aclose)
        self._stack.push_async_callback(admission.close)
        # Never started: what it is handed waits, as while the broker is away.
        publisher = build_publisher(BrokerSettings(url=ServerUrl(self._redis.url)), metrics)
        entries = LedgerEntries(LaneSettings(), self._clock)
        return Acceptance(admission, entries, Entrance(ledger, publisher), ledger, metrics)

    async def _die(self, key: str, *, is_committed: bool) -> None:
        died = asyncio.Event()
        last_steps = _LastSteps(self._ledger, self._accepts, is_committed=is_committed, died=died)
        door = await self._build(last_steps)
        accepting = asyncio.create_task(door.accept(self._arrival(key)))
        self._dying.append(accepting)
        last = asyncio.create_task(died.wait())
        # It may also have been told of an earlier message, which is an end as good as any.
        await asyncio.wait({accepting, last}, return_when=asyncio.FIRST_COMPLETED)
        last.cancel()

    async def _end(self) -> None:
        for task in self._dying:
            task.cancel()
        await asyncio.gather(*self._dying, return_exceptions=True)
        await self._stack.aclose()

    def _arrival(self, key: str) -> Arrival:
        body = msgspec.structs.replace(Body.says(f"the body of {key}"), background=True)
        raw = encode_body(body)
        return Arrival(
            tenant=self._tenant,
            body=body,
            kept=KeptBody(raw, len(raw)),
            surface=Surface.RESPONSES,
            idempotency_key=key,
        )
