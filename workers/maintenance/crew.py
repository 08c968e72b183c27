"""The periodic roles of one worker process, together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from shared.clock import Clock
from shared.conversations.sweeps import ConversationSweeps
from shared.erasing.erasing import open_erasing
from shared.erasing.retention import Retention
from shared.files.database_content import DatabaseContent
from shared.files.file_sweeps import FileSweeps
from shared.messages.dead_letter import DeadReason
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.leadership import led
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.queueing.dead_letters.recorder import DeadLetterRecorder
from shared.queueing.publisher import build_publisher
from shared.resilience.periodic import repeat, running
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from workers.answer_queue import AnswerQueue
from workers.maintenance.janitor import Janitor
from workers.maintenance.one_core import OneCore
from workers.maintenance.reconciler import Reconciler
from workers.steps.reply import Reply

_Round = Callable[[], Awaitable[None]]
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
    metrics: Metrics,
    clock: Clock,
) -> AsyncIterator[None]:
    """Reconciler, janitor, eraser and the reader of dead letters, while the context is open.

    `worker` is this process's name among all that may do the rounds.
    """
    sweeps = LedgerSweeps(database, settings.ledger, clock)
    publisher = build_publisher(settings.broker, metrics)

    async def wake_again(message_id: str, _reason: DeadReason, _detail: str) -> bool:
        # The broker counts redeliveries, innocent ones too; the ledger counts claims, and ends a
        # message by that count alone.
        return await sweeps.wake_again(message_id)

    recorder = DeadLetterRecorder(
        settings.broker,
        DeadLetterRepository(database, clock),
        fail_message=wake_again,
        metrics=metrics,
    )
    wake_after = settings.ledger.wake_after_seconds
    reconciler = Reconciler(sweeps, publisher, reply, metrics, clock, wake_after_seconds=wake_after)
    retention = Retention(database, settings.ledger, clock)
    files = FileSweeps(database, DatabaseContent(database), clock)
    conversations = ConversationSweeps(database, settings.ledger, clock)
    janitor = Janitor(sweeps, retention, conversations, files, answers, reply, metrics)
    async with AsyncExitStack() as stack:
        await publisher.start()
        stack.push_async_callback(publisher.close)
        await recorder.start()
        stack.push_async_callback(recorder.close)
        every = settings.ledger.sweep_seconds
        rounds: dict[str, _Round] = {"reconciler": reconciler, "janitor": janitor}
        erasing = open_erasing(settings, database, clock)
        rounds["eraser"] = await stack.enter_async_context(erasing)
        for name, work in rounds.items():
            role, seconds = f"{name}{_ROLES_OF}", every * _ROUNDS_PER_LEASE
            lease = RoleLease(database, clock, role=role, holder=worker, lease_seconds=seconds)
            a_round = await stack.enter_async_context(led(lease, work))
            await stack.enter_async_context(running(repeat(name, a_round, every_seconds=every)))
        if _is_to_take_one_core(settings):
            await stack.enter_async_context(OneCore().taken())
        watching = repeat("broker watch", reconciler.watch_broker, every_seconds=every)
        await stack.enter_async_context(running(watching))
        yield


def _is_to_take_one_core(settings: Settings) -> bool:
    # On Redis a message costs a worker on one core a tenth more.
    return settings.worker.one_core and settings.broker.url.scheme.startswith("amqp")
