"""What one worker process owns, opened and closed with its event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from shared.batches.batch_budget import BatchBudget
from shared.clock import Clock, SystemClock
from shared.costs.prices import open_prices
from shared.costs.till import Till, open_till
from shared.identifiers import new_process_name
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.worker_lease import WorkerOffer
from shared.persistence.migrating import require_migrations
from shared.redis.client import open_redis
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups
from shared.reservations.reservations import Reservations
from shared.resilience.loop_watch import watched_loop
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from shared.telemetry.open_tracing import open_tracing
from shared.telemetry.serving import served
from shared.telemetry.tracing import Tracing
from workers.answer_queue import AnswerQueue, open_answer_queue
from workers.building.caching import AnswerCaching, CachingParts
from workers.building.chain import AnswerParts, model_choice, open_chain
from workers.building.facts import open_fact_steps
from workers.building.provider_batches import open_provider_batches
from workers.building.recall import build_recall, varying
from workers.building.searching import open_search_steps
from workers.maintenance.crew import maintenance
from workers.maintenance.lease_keeping import kept_leases
from workers.pipeline import ForSearches, Pipeline, Step
from workers.providers.chain import Chain
from workers.steps.claim import Claim
from workers.steps.judging import Judging
from workers.steps.meter import Meter
from workers.steps.remember import Remember
from workers.steps.reply import Reply
from workers.steps.summary_follow_up import FollowUp
from workers.steps.traced_reply import open_reply
from workers.validation.building import build_guardrail


class WorkerRuntime:
    """Builds a worker's parts in the order in which they stand on each other."""

    def __init__(
        self,
        settings: Settings,
        stack: AsyncExitStack,
        clock: Clock,
        offer: WorkerOffer | None = None,
    ) -> None:
        self._settings = settings
        self._offer = offer
        self._stack = stack
        self._clock = clock
        self._name = new_process_name()
        self._metrics = Metrics()
        self._database: Database = open_database(settings.ledger)
        stack.push_async_callback(self._database.close)
        self._redis = open_redis(settings.redis)
        stack.push_async_callback(self._redis.aclose)
        self._wakeups = Wakeups(self._redis)
        stack.push_async_callback(self._wakeups.close)

    async def open(self) -> Pipeline:
        """The pipeline, with its maintenance running beside it."""
        seconds = self._settings.telemetry.blocked_loop_seconds
        await self._stack.enter_async_context(watched_loop(self._metrics, seconds=seconds))
        await require_migrations(self._database)
        self._serve_metrics()
        tracing = open_tracing(self._settings.telemetry, "worker")
        self._stack.push_async_callback(tracing.close)
        replies = ReplyStream(self._redis, ttl_seconds=self._settings.redis.reply_ttl_seconds)
        self._stack.push_async_callback(replies.close)
        reservations = self._reservations()
        till = open_till(self._settings, self._database, self._redis, reservations, self._clock)
        self._stack.push_async_callback(till.close)
        ledger = MessageLedger(self._database, self._settings.ledger, self._clock, self._metrics)
        self._stack.push_async_callback(ledger.close)
        answering = open_answer_queue(self._settings.broker, ledger)
        answers = await self._stack.enter_async_context(answering)
        reply = self._reply(tracing, replies, reservations, answers)
        await self._maintain(ledger, reply, answers)
        chain = await self._chain(tracing)
        judging = Judging(build_guardrail(self._settings.validation), self._metrics)
        caching = await CachingParts(
            settings=self._settings,
            redis=self._redis,
            stack=self._stack,
            judging=judging,
            replies=replies,
            wakeups=self._wakeups,
            metrics=self._metrics,
            clock=self._clock,
        ).open()
        return await self._pipeline(
            ledger,
            replies,
            reply,
            tracing,
            chain=chain,
            judging=judging,
            caching=caching,
            till=till,
            afterwards=caching.afterwards,
        )

    async def _pipeline(
        self,
        ledger: MessageLedger,
        replies: ReplyStream,
        reply: Reply,
        tracing: Tracing,
        *,
        chain: Chain,
        judging: Judging,
        caching: AnswerCaching,
        till: Till,
        afterwards: Sequence[Step],
    ) -> Pipeline:
        settings, clock, metrics = self._settings, self._clock, self._metrics
        lease_seconds = settings.ledger.lease_seconds
        claims = ClaimGroup(
            self._database, clock, worker=self._name, lease_seconds=lease_seconds, offer=self._offer
        )
        leases = kept_leases(claims, self._wakeups, worker=self._name, lease_seconds=lease_seconds)
        search = open_search_steps(
            settings, self._database, replies, self._stack, clock, metrics, tracing
        )
        before: tuple[Step | ForSearches, ...] = (
            *await self._before(chain, tracing),
            search.survey,
        )
        meter = Meter(open_prices(settings.costs.prices, settings.providers), metrics)
        parts = AnswerParts(settings, self._database, replies, judging, meter, metrics, clock)
        remember = Remember(ledger, patience_seconds=lease_seconds, metrics=metrics)
        follow_up = FollowUp(ledger)
        await open_provider_batches(
            self._stack,
            parts,
            before,
            search.retrieve,
            caching=caching,
            remember=remember,
            told=(reply, follow_up),
            worker=self._name,
        )
        return Pipeline(
            claim=self._claim(claims, replies, till),
            steps=(*before, *caching.before, search.retrieve, parts.patient_step(chain, claims)),
            remember=remember,
            reply=reply,
            afterwards=afterwards,
            follow_up=follow_up,
            leases=await self._stack.enter_async_context(leases),
            metrics=metrics,
            tracing=tracing,
            clock=clock,
        )

    async def _before(self, chain: Chain, tracing: Tracing) -> Sequence[Step]:
        settings, clock, metrics = self._settings, self._clock, self._metrics
        recall = build_recall(
            settings,
            self._database,
            self._redis,
            chain,
            metrics=metrics,
            tracing=tracing,
            clock=clock,
        )
        facts = await self._stack.enter_async_context(open_fact_steps(settings, metrics, clock))
        return (*varying(settings), recall, *facts, *model_choice(settings, metrics))

    def _claim(self, claims: ClaimGroup, replies: ReplyStream, till: Till) -> Claim:
        claim = Claim(
            claims,
            replies,
            attempt_limit=self._settings.ledger.attempt_limit,
            metrics=self._metrics,
            clock=self._clock,
            till=till,
            batches=BatchBudget(self._database, till, self._clock),
        )
        self._stack.push_async_callback(claim.close)
        return claim

    async def _chain(self, tracing: Tracing) -> Chain:
        return await open_chain(
            self._settings,
            self._redis,
            self._stack,
            metrics=self._metrics,
            tracing=tracing,
            clock=self._clock,
        )

    def _reservations(self) -> Reservations:
        seconds = self._settings.limits.risk_half_life_seconds
        reservations = Reservations(self._redis, self._clock, risk_half_life_seconds=seconds)
        self._stack.push_async_callback(reservations.close)
        return reservations

    def _reply(self, tracing: Tracing, *parts: object) -> Reply:
        servers = {"redis": self._redis, "clock": self._clock}
        return open_reply(self._stack, tracing, *parts, self._metrics, **servers)

    async def _maintain(self, ledger: MessageLedger, reply: Reply, answers: AnswerQueue) -> None:
        await self._stack.enter_async_context(
            maintenance(
                self._settings,
                self._database,
                worker=self._name,
                reply=reply,
                answers=answers,
                subscribers=ledger.subscribers,
                metrics=self._metrics,
                clock=self._clock,
                redis=self._redis,
                wakeups=self._wakeups,
            )
        )

    def _serve_metrics(self) -> None:
        worker = self._settings.worker
        serving = served(self._metrics, host=worker.metrics_host, port=worker.metrics_port)
        self._stack.enter_context(serving)


@asynccontextmanager
async def open_runtime(
    settings: Settings, offer: WorkerOffer | None = None
) -> AsyncIterator[Pipeline]:
    """A worker's pipeline for as long as the context is open; `offer` is what it can hold.

    A ledger that is away is waited for. Raises SettingsError where a person must act.
    """
    async with AsyncExitStack() as stack:
        yield await WorkerRuntime(settings, stack, SystemClock(), offer).open()
