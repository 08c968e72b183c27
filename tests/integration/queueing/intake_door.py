"""The second door with everything real behind it: admission, ledger, publisher, dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from sqlalchemy import select

from ingress.acceptance import Acceptance
from ingress.admission.admission import Admission
from ingress.authentication import Authentication
from ingress.intake.intake import Intake
from ingress.named_stores import NamedStores
from ingress.patience import Patience
from ingress.prompt_ledger import PromptLedger
from ingress.references import References
from shared.accepting.entrance import Entrance
from shared.accepting.ledger_entry import LedgerEntries
from shared.clock import SystemClock
from shared.conversations.catalogue import Conversations
from shared.conversations.references import ReferencedItems
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.files.file_catalogue import FileCatalogue
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.tenant import KeyScope
from shared.persistence.dead_letters import DeadLetter, DeadLetterRepository
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.statements import RECORD_COLUMNS, record_of
from shared.persistence.tenants import TenantRepository
from shared.queueing.answers.answer_publisher import AnswerPublisher, build_answer_publisher
from shared.queueing.dead_letters.recorder import DeadLetterRecorder
from shared.queueing.dead_letters.sink import build_dead_letter_sink
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import build_publisher
from shared.redis.client import open_redis
from shared.settings.door import LaneSettings, LimitSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.patience import patient_settings

BODY_LIMIT_BYTES = 1_048_576
UNKNOWN = {"resp_unknown"}
"""Ids that the door's `fail_message` says no message has."""


class IntakeDoor(msgspec.Struct, kw_only=True):
    """The running door, and what it left behind."""

    broker: BrokerSettings
    key: str
    database: Database
    ledger: MessageLedger
    letters: DeadLetterRepository
    answers: AnswerPublisher
    metrics: Metrics
    failed: list[tuple[str, DeadReason, str]]
    unknown: set[str]
    """Messages that are not in the ledger."""

    @property
    def authorization(self) -> dict[str, str]:
        """The header that a message needs."""
        return {"authorization": f"Bearer {self.key}"}

    async def accepted(self) -> list[MessageRecord]:
        """Every message in the ledger."""
        async with self.database.relaxed.connect() as connection:
            return [record_of(row) for row in await connection.execute(select(*RECORD_COLUMNS))]

    async def dead(self) -> list[DeadLetter]:
        """Every dead letter in the ledger."""
        return await self.letters.list()


@asynccontextmanager
async def open_intake_door(
    broker: BrokerSettings, *, redis_url: str, ledger_url: str
) -> AsyncIterator[IntakeDoor]:
    """A door on a migrated ledger of its own, with one tenant."""
    declare_topology(broker)
    clock, metrics = SystemClock(), Metrics()
    settings = LedgerSettings(url=ServerUrl(ledger_url))
    database = open_database(settings)
    tenants = TenantRepository(database, clock)
    key = await tenants.create_key(await tenants.create("acme"), scope=KeyScope.PRODUCER)
    ledger = MessageLedger(database, settings, clock, metrics)
    letters = DeadLetterRepository(database, clock)
    publisher, answers = build_publisher(broker, metrics), build_answer_publisher(broker)
    redis = open_redis(patient_settings(redis_url))
    admission = Admission(redis, LimitSettings(), clock, metrics)
    accepts = ContentLedger(ledger, database, DatabaseContent(database), clock)
    prompt = PromptLedger(ledger, accepts, timeout_seconds=30.0)
    entries, entrance = LedgerEntries(LaneSettings(), clock), Entrance(prompt, publisher)
    acceptance = Acceptance(admission, entries, entrance, prompt, metrics)
    authentication = Authentication(tenants, clock, cache_seconds=10.0, timeout_seconds=30.0)
    failed: list[tuple[str, DeadReason, str]] = []
    unknown: set[str] = set()

    async def fail(message_id: str, reason: DeadReason, detail: str) -> bool:
        if message_id in unknown:
            return False
        failed.append((message_id, reason, detail))
        return message_id not in UNKNOWN

    sink = build_dead_letter_sink(broker)
    intake = Intake(
        broker,
        acceptance,
        authentication,
        References(
            ReferencedItems(database),
            Conversations(database, clock),
            FileCatalogue(database, clock),
            accepts.contents,
            NamedStores(None, Patience(30.0), clock),
            Patience(30.0),
            limit_bytes=BODY_LIMIT_BYTES,
            text_limit_bytes=BODY_LIMIT_BYTES,
        ),
        answers,
        sink,
        metrics,
        body_limit_bytes=BODY_LIMIT_BYTES,
    )
    recorder = DeadLetterRecorder(broker, letters, fail_message=fail, metrics=metrics)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(database.close)
        closing.push_async_callback(redis.aclose)
        closing.push_async_callback(accepts.close)
        for part in (publisher, answers, sink):
            await part.start()
            closing.push_async_callback(part.close)
        for reader in (recorder, intake):
            await reader.start()
        closing.push_async_callback(lambda: asyncio.gather(recorder.close(), intake.close()))
        yield IntakeDoor(
            broker=broker,
            key=key.key,
            database=database,
            ledger=ledger,
            letters=letters,
            answers=answers,
            metrics=metrics,
            failed=failed,
            unknown=unknown,
        )
