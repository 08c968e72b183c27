"""What one ingress process owns, opened and closed with its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from ingress.acceptance import Acceptance
from ingress.admission.admission import Admission
from ingress.admission.backpressure import LaneWatch
from ingress.api.door import Door
from ingress.api.embeddings import Embeddings
from ingress.api.file_surface import FileSurface
from ingress.api.index_surface import IndexSurface
from ingress.api.metered_calls import MeteredCalls
from ingress.authentication import Authentication
from ingress.console.apart.opening import open_console
from ingress.events import Replies
from ingress.intake.intake import Intake
from ingress.intake.opening import open_intake
from ingress.ledger_watch import LedgerWatch
from ingress.named_stores import NamedStores
from ingress.patience import Patience
from ingress.probe import Probe, redis_probe
from ingress.prompt_ledger import PromptLedger
from ingress.references import References
from ingress.reply_source import ReplySource
from shared.accepting.entrance import Entrance
from shared.accepting.key_changes import KEY_CHANGES
from shared.accepting.ledger_entry import LedgerEntries
from shared.answer_cache.housekeeping import Housekeeping
from shared.clock import Clock
from shared.conversations.catalogue import Conversations
from shared.conversations.references import ReferencedItems
from shared.costs.budget import Budgets
from shared.costs.prices import open_prices
from shared.dispatch.hints import DispatchHints
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.files.file_catalogue import FileCatalogue
from shared.index.collections.catalogue import CollectionCatalogue
from shared.persistence.engine import open_database
from shared.persistence.ledger.lane_load import LaneLoads
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.message_states import MessageStates
from shared.persistence.ledger.rehearsal import Rehearsal
from shared.persistence.tenants import TenantRepository
from shared.queueing.declaration import declared_at_last
from shared.queueing.publisher import build_publisher
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups
from shared.reservations.reservations import Reservations
from shared.resilience.kept_running import end_tasks
from shared.resilience.loop_watch import watched_loop
from shared.resilience.patiently import patiently
from shared.rollups.door_figures import DoorFigures
from shared.settings import Settings
from shared.status.system_watch import SystemWatch
from shared.telemetry.metrics import Metrics
from shared.telemetry.open_tracing import open_tracing
from shared.token_count import BYTES_PER_TOKEN


class DoorRuntime:
    """The parts behind the door. Building them connects to nothing; `open` and `close` do."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.metrics = Metrics()
        self._tracing = open_tracing(settings.telemetry, "ingress")
        self.database = open_database(settings.ledger)
        self._redis = open_redis(settings.redis)
        self.housekeeping = Housekeeping(self._redis)
        self._ledger = MessageLedger(self.database, settings.ledger, clock, self.metrics)
        self._store = DatabaseContent(self.database)
        self.accepts = ContentLedger(self._ledger, self.database, self._store, clock)
        self._publisher = build_publisher(settings.broker, self.metrics)
        self._hints = DispatchHints(self._redis, clock)
        self._stream = ReplyStream(self._redis, ttl_seconds=settings.redis.reply_ttl_seconds)
        self._wakeups = Wakeups(self._redis)
        self._reservations = Reservations(self._redis, clock)
        seconds = settings.ingress.ledger_timeout_seconds
        self._patience = Patience(seconds)
        self.ledger_probe = Probe(Rehearsal(self.database, clock), clock, seconds=seconds)
        self.redis_probe = redis_probe(self._redis, clock, settings.redis.timeout_seconds)
        self.conversations = Conversations(self.database, clock)
        self._lanes = self._lane_watch()
        self._figures = DoorFigures(self.database)
        prices = open_prices(settings.costs.prices, settings.providers)
        self._admission = Admission(
            self._redis,
            settings.limits,
            clock,
            self.metrics,
            lanes=self._lanes,
            budgets=Budgets(self.database, prices, clock),
            counts=self._figures.counts,
        )
        self._stack = AsyncExitStack()
        self.door = self._door()
        calls = MeteredCalls(self._admission, self._reservations)
        self.index = IndexSurface(self.door, self.database, calls, settings, clock, self.metrics)
        self.embeddings = Embeddings(self.door, calls, settings.embeddings)
        self.files = FileSurface(self.door, self.database, self._redis, settings, clock)
        self.console = open_console(settings, self._redis, clock, self.broker_is_well)

    async def open(self) -> None:
        """Start what runs beside the requests. A server that is away is waited for by its part."""
        push = self._stack.push_async_callback
        seconds = self.settings.telemetry.blocked_loop_seconds
        await self._stack.enter_async_context(watched_loop(self.metrics, seconds=seconds))
        push(self.database.close)
        push(self._redis.aclose)
        await self._stack.enter_async_context(self._figures.appended())
        push(self._tracing.close)
        push(self.ledger_probe.close)
        push(self.redis_probe.close)
        push(self.accepts.close)
        push(self._reservations.close)
        push(self._stream.close)
        push(self._hints.close)
        push(self.door.source.close)
        push(self._admission.close)
        push(self._wakeups.close)
        self._wakeups.attend(KEY_CHANGES, self.door.authentication)
        push(self.index.close)
        push(self.embeddings.close)
        push(self.files.close)
        if self.console is not None:
            push(self.console.close)
        await self._publisher.start()
        push(self._publisher.close)
        self._lanes.start()
        push(self._lanes.close)
        self._begin_beside(declared_at_last(self.settings.broker))
        self._begin_beside(patiently("read the ledger", self.database.ping))
        if self.settings.ingress.intake:
            await self._stack.enter_async_context(self._intake())

    async def close(self) -> None:
        """Let go of everything, in the reverse order."""
        self.door.replies.stop()
        await self._stack.aclose()

    async def broker_is_well(self) -> bool:
        """Whether a wake-up would go out now."""
        return self._publisher.healthy

    def system_watch(self) -> SystemWatch:
        """Looks at all that this door stands on and stands before."""
        return SystemWatch(
            self.settings,
            self.database,
            self._redis,
            self.clock,
            broker_is_well=self.broker_is_well,
        )

    def _door(self) -> Door:
        settings, clock = self.settings, self.clock
        timeout_seconds = settings.ingress.ledger_timeout_seconds
        ledger = PromptLedger(self._ledger, self.accepts, timeout_seconds=timeout_seconds)
        states = MessageStates(self.database)
        source = ReplySource(
            ledger,
            LedgerWatch(lambda ids: self._patience.wait(states.of(ids))),
            self._stream,
            self._wakeups,
            self._redis,
            clock,
            redis_timeout_seconds=settings.redis.timeout_seconds,
        )
        return self._kind_of_door()(
            settings=settings.ingress,
            authentication=Authentication(
                TenantRepository(self.database, clock),
                clock,
                cache_seconds=settings.ingress.key_cache_seconds,
                timeout_seconds=timeout_seconds,
            ),
            acceptance=self._acceptance(ledger),
            ledger=ledger,
            source=source,
            replies=Replies(source, clock),
            reservations=self._reservations,
            references=self._references(),
            metrics=self.metrics,
            tracing=self._tracing,
            clock=clock,
        )

    def _kind_of_door(self) -> type[Door]:
        if not self._tracing.recording:
            return Door
        from ingress.api.traced_door import TracedDoor

        return TracedDoor

    def _acceptance(self, ledger: PromptLedger) -> Acceptance:
        parts = (
            self._admission,
            LedgerEntries(self.settings.lanes, self.clock),
            Entrance(ledger, self._publisher, self._hints),
            ledger,
            self.metrics,
        )
        recalled_bytes = self.settings.context.token_budget * BYTES_PER_TOKEN
        if not self._tracing.recording:
            return Acceptance(*parts, recalled_bytes=recalled_bytes)
        from ingress.traced_acceptance import TracedAcceptance

        return TracedAcceptance(*parts, recalled_bytes=recalled_bytes, tracing=self._tracing)

    def _intake(self) -> AbstractAsyncContextManager[Intake]:
        door = self.door
        return open_intake(
            self.settings, door.acceptance, door.authentication, door.references, self.metrics
        )

    def _references(self) -> References:
        limits = self.settings.ingress
        return References(
            ReferencedItems(self.database),
            self.conversations,
            FileCatalogue(self.database, self.clock),
            self.accepts.contents,
            NamedStores(CollectionCatalogue(self.database, self.clock), self._patience, self.clock),
            self._patience,
            limit_bytes=limits.body_limit_bytes,
            text_limit_bytes=limits.text_limit_bytes,
        )

    def _lane_watch(self) -> LaneWatch:
        loads = LaneLoads(self.database, self.clock)
        return LaneWatch(
            lambda: self._patience.wait(loads.lane_loads()),
            self.clock,
            self.metrics,
            interval_seconds=self.settings.limits.lane_load_seconds,
        )

    def _begin_beside(self, role: Coroutine[object, object, object]) -> None:
        task = asyncio.get_running_loop().create_task(role)
        self._stack.push_async_callback(end_tasks, task)
