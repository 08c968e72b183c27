"""The periodic roles of one worker process, together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from shared.clock import Clock
from shared.conversations.sweeps import ConversationSweeps
from shared.erasing.erasing import open_erasing
from shared.erasing.retention import Retention
from shared.files.database_content import DatabaseContent
from shared.files.file_sweeps import FileSweeps
from shared.index.documents.of_files import FileDocuments
from shared.messages.dead_letter import DeadReason
from shared.outcomes.closing import OutcomeRound
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.leadership import led
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.ledger.settlement.end_events import Subscribers
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.queueing.dead_letters.recorder import DeadLetterRecorder
from shared.queueing.publisher import build_publisher
from shared.replies.wakeups import Wakeups
from shared.resilience.patiently import patiently
from shared.resilience.periodic import repeat, running
from shared.schedules.schedule_round import ScheduleRound
from shared.settings import Settings
from shared.telemetry.metrics import Metrics, installed_version
from workers.alerting.opening import alerting
from workers.answer_queue import AnswerQueue
from workers.batching.opening import Batching, open_batching
from workers.judging.opening import judging
from workers.maintenance.dispatching import dispatching
from workers.maintenance.janitor import Janitor
from workers.maintenance.one_core import OneCore
from workers.maintenance.quality_gauges import telling_quality
from workers.maintenance.reconciler import Reconciler
from workers.maintenance.rollup_round import RollupRound
from workers.steps.reply import Reply
from workers.webhooks.round import webhook_round

_Round = Callable[[], Awaitable[None]]
_OF_BATCHES: Final = frozenset(Batching._fields)
_BATCHES_SECONDS: Final = 1.0
"""Between two looks at batches: whoever asks for one waits to be told what is wrong with it."""
_FIGURES_SECONDS: Final = 5.0
"""Between two foldings: whoever reads figures reads what is not folded as well."""
_PAUSES: Final = dict.fromkeys(_OF_BATCHES, _BATCHES_SECONDS) | {"rollups": _FIGURES_SECONDS}
_ROUNDS_PER_LEASE: Final = 4
"""A leader that died is followed within so many pauses between two rounds, and one more."""

_ROLES_OF: Final = "/2"
"""Raised where a version takes back what the one before does not see: both do the rounds then."""


@asynccontextmanager
async def maintenance(
    settings: Settings,
    database: Database,
    *,
    worker: str,
    reply: Reply,
    answers: AnswerQueue,
    subscribers: Subscribers,
    metrics: Metrics,
    clock: Clock,
    redis: Redis,
    wakeups: Wakeups,
) -> AsyncIterator[None]:
    """Reconciler, janitor, eraser, expander and collector of batches, dispatcher, folder of figures
    and the reader of dead letters, while the context is open.

    `worker` is this process's name among all that may do the rounds.
    """
    sweeps = LedgerSweeps(database, settings.ledger, clock)
    publisher = build_publisher(settings.broker, metrics)
    recorder = _recorder(settings, database, sweeps, metrics, clock)
    wake_after = settings.ledger.wake_after_seconds
    reconciler = Reconciler(sweeps, publisher, reply, metrics, clock, wake_after_seconds=wake_after)
    janitor = _janitor(settings, database, sweeps, answers, reply, metrics, clock)
    async with AsyncExitStack() as stack:
        await publisher.start()
        stack.push_async_callback(publisher.close)
        await recorder.start()
        stack.push_async_callback(recorder.close)
        every = settings.ledger.sweep_seconds
        await stack.enter_async_context(_kept_fresh(subscribers, every_seconds=every))
        rounds: dict[str, _Round] = {"reconciler": reconciler, "janitor": janitor}
        rounds["eraser"] = await stack.enter_async_context(open_erasing(settings, database, clock))
        opening = open_batching(settings, database, publisher, metrics, clock)
        batching = await stack.enter_async_context(opening)
        rounds |= batching._asdict()
        sending = webhook_round(settings.webhooks, database, metrics, clock)
        rounds["webhooks"] = await stack.enter_async_context(sending)
        rounds["schedules"] = ScheduleRound(database, clock)
        rounds["rollups"] = RollupRound(database, settings.rollups, clock)
        rounds["outcomes"] = _outcomes(settings, database, metrics, clock)
        for name, work in rounds.items():
            pause = _PAUSES.get(name, every)
            role, seconds = f"{name}{_ROLES_OF}", max(every, pause) * _ROUNDS_PER_LEASE
            lease = RoleLease(database, clock, role=role, holder=worker, lease_seconds=seconds)
            a_round = await stack.enter_async_context(led(lease, work))
            await stack.enter_async_context(running(repeat(name, a_round, every_seconds=pause)))
        looking = _looking(settings, database, redis, metrics, clock, worker=worker)
        await stack.enter_async_context(looking)
        leading = dispatching(
            settings, database, publisher, redis, wakeups, metrics, clock, worker=worker
        )
        await stack.enter_async_context(leading)
        if _is_to_take_one_core(settings):
            await stack.enter_async_context(OneCore().taken())
        watching = repeat("broker watch", reconciler.watch_broker, every_seconds=every)
        await stack.enter_async_context(running(watching))
        yield


@asynccontextmanager
async def _looking(
    settings: Settings,
    database: Database,
    redis: Redis,
    metrics: Metrics,
    clock: Clock,
    *,
    worker: str,
) -> AsyncIterator[None]:
    """Alerts, judges and what is told of quality, while the context is open."""
    async with (
        telling_quality(database, metrics, clock, worker=worker),
        alerting(settings, database, redis, clock, worker=worker),
        judging(settings.evaluation, database, clock, worker=worker),
    ):
        yield


def _outcomes(
    settings: Settings, database: Database, metrics: Metrics, clock: Clock
) -> OutcomeRound:
    return OutcomeRound(database, settings.ledger, metrics, clock, version=installed_version())


def _janitor(
    settings: Settings,
    database: Database,
    sweeps: LedgerSweeps,
    answers: AnswerQueue,
    reply: Reply,
    metrics: Metrics,
    clock: Clock,
) -> Janitor:
    documents = FileDocuments(database, clock)
    return Janitor(
        sweeps,
        Retention(database, settings.ledger, clock),
        ConversationSweeps(database, settings.ledger, clock),
        FileSweeps(database, DatabaseContent(database), clock, take_out=documents.remove),
        answers,
        reply,
        metrics,
    )


def _recorder(
    settings: Settings,
    database: Database,
    sweeps: LedgerSweeps,
    metrics: Metrics,
    clock: Clock,
) -> DeadLetterRecorder:
    async def wake_again(message_id: str, _reason: DeadReason, _detail: str) -> bool:
        # The broker counts redeliveries, innocent ones too; the ledger counts claims, and ends a
        # message by that count alone.
        return await sweeps.wake_again(message_id)

    letters = DeadLetterRepository(database, clock)
    return DeadLetterRecorder(settings.broker, letters, fail_message=wake_again, metrics=metrics)


@asynccontextmanager
async def _kept_fresh(subscribers: Subscribers, *, every_seconds: float) -> AsyncIterator[None]:
    """Known from the first turn on, and looked up anew while the context is open."""
    await patiently("read who is told by webhook", subscribers.refresh)
    asking = repeat("webhook subscribers", subscribers.refresh, every_seconds=every_seconds)
    async with running(asking):
        yield


def _is_to_take_one_core(settings: Settings) -> bool:
    # On Redis a message costs a worker on one core a tenth more.
    return settings.worker.one_core and settings.broker.url.scheme.startswith("amqp")
