"""A ledger with everything that works on batches, and what a test does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import func, select, update

from shared.accepting.ledger_entry import LedgerEntries
from shared.batches.batch import Batch, NewBatch
from shared.batches.batch_budget import BatchBudget
from shared.batches.catalogue import BatchCatalogue
from shared.batches.items import BatchItems
from shared.batches.state import BatchEndpoint, BatchSurface
from shared.batches.tables import batch_item
from shared.batches.work import BatchWork
from shared.clock import ManualClock
from shared.costs.till import open_till
from shared.erasing.cancelling import GroupCancelling
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDrafts
from shared.files.file_catalogue import FileCatalogue
from shared.files.stored_file import FileLabel, FilePurpose, StoredFile
from shared.files.tables import tenant_storage
from shared.files.upload import Uploads
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.statements import RECORD_COLUMNS, reading, record_of, transaction
from shared.persistence.tables import message
from shared.redis.client import open_redis
from shared.reservations.reservations import Reservations
from shared.settings import Settings
from shared.settings.door import LaneSettings
from shared.settings.files import FileSettings
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from workers.batching.collector import Collector
from workers.batching.expander import Expander
from workers.batching.line_message import LineMessages
from workers.batching.result_files import ResultFiles

TENANT = "ten_1"
WINDOW = 3600


class Sent:
    """Who is told of messages; nobody dispatches."""

    def __init__(self) -> None:
        self.records: list[MessageRecord] = []
        self.holds, self.keeps = False, True

    async def is_held(self) -> bool:
        return self.holds

    async def send(self, records: Sequence[MessageRecord]) -> None:
        if self.keeps:
            self.records += records


class Cancelled(GroupCancelling):
    """The cancelling without Redis to tell of it."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        super().__init__(database, self, None, clock)  # type: ignore[arg-type]
        self.told, self.settled = list[str](), list[str]()

    async def wake_all(self, message_ids: Sequence[str]) -> None:
        self.told += message_ids

    async def _settle(self, cancelled: Any) -> None:
        self.settled.append(cancelled.id)


@dataclass
class Bench:
    """One ledger, and everything that works on its batches."""

    database: Database
    clock: ManualClock

    def __post_init__(self) -> None:
        database, clock = self.database, self.clock
        self.store = DatabaseContent(database)
        self.catalogue = BatchCatalogue(database, clock)
        self.items = BatchItems(database)
        self.files = FileCatalogue(database, clock)
        self.sent = Sent()
        self.metrics = Metrics()
        self.cancelled = Cancelled(database, clock)
        self.work = BatchWork(database, clock, AcceptGroup(database, wake_after_seconds=5.0))
        settings = FileSettings()
        self.uploads = Uploads(
            ContentDrafts(database, settings, clock), self.store, settings, clock
        )
        redis = open_redis(RedisSettings())  # nobody connects: these tenants have no cap
        till = open_till(Settings(), database, redis, Reservations(redis, clock), clock)
        self.budget = BatchBudget(database, till, clock)
        self.expander, self.collector = self.expanding(), self.collecting()

    def expanding(self) -> Expander:
        """One more expander."""
        messages = LineMessages(
            LedgerEntries(LaneSettings(), self.clock), self.clock, text_limit_bytes=1 << 20
        )
        sender: Any = self.sent
        return Expander(
            self.work, self.store, messages, sender, self.budget, self.metrics, self.clock
        )

    def collecting(self) -> Collector:
        """One more collector."""
        results = ResultFiles(self.database, self.store, self.work, self.items, self.clock)
        return Collector(
            self.work, self.items, results, self.cancelled, self.budget, self.metrics, self.clock
        )

    async def file(self, content: bytes, purpose: FilePurpose = FilePurpose.BATCH) -> StoredFile:
        """A file with this content."""
        upload = await self.uploads.begin(TENANT)
        for start in range(0, len(content), 100_003):
            await upload.write(content[start : start + 100_003])
        return await upload.finish(FileLabel("in.jsonl", purpose))

    async def ask(
        self,
        content: bytes,
        *,
        endpoint: BatchEndpoint = BatchEndpoint.CHAT_COMPLETIONS,
        surface: BatchSurface = BatchSurface.OPENAI,
    ) -> Batch:
        """A batch of this input."""
        file = await self.file(content)
        return await self.catalogue.create(
            NewBatch(
                tenant_id=TENANT,
                surface=surface,
                endpoint=endpoint,
                content_id=file.content_id,
                input_bytes=file.bytes,
                input_file_id=file.id,
                window_seconds=WINDOW,
            )
        )

    async def now(self, of: Batch) -> Batch:
        """As it stands."""
        return await self.catalogue.find(of.id, tenant_id=TENANT)

    async def expanded(self, content: bytes, **asked: Any) -> Batch:
        """A batch whose lines are in the ledger, or that has failed."""
        made = await self.ask(content, **asked)
        await self.expander()
        return await self.now(made)

    async def collected(self, of: Batch) -> Batch:
        """After enough rounds of the collector."""
        for _ in range(3):
            await self.collector()
        return await self.now(of)

    async def messages(self) -> list[MessageRecord]:
        """All there are, in the order of their ids."""
        query = select(*RECORD_COLUMNS).order_by(message.c.id)
        async with reading(self.database.relaxed) as connection:
            return [record_of(row) for row in await connection.execute(query)]

    async def lines(self, of: Batch) -> list[tuple[int, str, str | None]]:
        """Its lines, each with its custom_id and its message."""
        columns = batch_item.c.line, batch_item.c.custom_id, batch_item.c.message_id
        query = select(*columns).where(batch_item.c.batch_id == of.id).order_by(batch_item.c.line)
        async with reading(self.database.relaxed) as connection:
            return [tuple(row) for row in await connection.execute(query)]

    async def count(self) -> int:
        """Messages in the ledger."""
        async with reading(self.database.relaxed) as connection:
            return await connection.scalar(select(func.count()).select_from(message)) or 0

    async def answer(self, ids: Sequence[str] | None = None, **ending: Any) -> None:
        """Those messages, or all that wait, end so."""
        end = {"state": ResponseState.COMPLETED, "finished_at": self.clock.now()}
        end |= {"output_text": "Fine.", "input_tokens": 3, "output_tokens": 2, "model": "m"}
        ending = end | ending
        query = update(message).where(message.c.state == ResponseState.QUEUED).values(ending)
        if ids is not None:
            query = query.where(message.c.id.in_(ids))
        async with transaction(self.database.durable) as connection:
            await connection.execute(query)

    async def set(self, message_id: str, **values: object) -> None:
        """Change columns of one message."""
        changing = update(message).where(message.c.id == message_id).values(values)
        async with transaction(self.database.durable) as connection:
            await connection.execute(changing)

    async def partly(self) -> Batch:
        """A batch of six lines, two of which are answered."""
        of = await self.expanded(SIX)
        await self.answer([each.id for each in (await self.messages())[:2]])
        return of

    async def answered(self) -> Batch:
        """A batch of six lines that are all answered."""
        of = await self.expanded(SIX)
        await self.answer()
        return of

    async def read(self, file_id: str | None) -> list[dict[str, Any]]:
        """The lines of one of its files."""
        if file_id is None:
            return []
        file = await self.files.find(file_id, tenant_id=TENANT)
        assert file is not None
        assert file.purpose is FilePurpose.BATCH_OUTPUT
        content, ordinal = b"", 0
        while chunk := await self.store.read(file.content_id, ordinal):
            content, ordinal = content + chunk, ordinal + 1
        return [msgspec.json.decode(line) for line in content.splitlines()]

    async def fill(self) -> None:
        """The tenant's files take all that they may."""
        most = FileSettings().tenant_limit_bytes
        async with transaction(self.database.durable) as connection:
            await connection.execute(update(tenant_storage).values(bytes=most))

    async def expire(self) -> None:
        """The time of every batch is over, and what waited is failed as the janitor does it."""
        self.clock.advance(WINDOW + 1)
        late = {"state": ResponseState.FAILED, "error_code": "server_error"}
        await self.answer(**late, error_message="deadline_passed", output_text=None)


def chat(n: int, text: str | None = None, /, **more: Any) -> bytes:
    """A line that asks for that text, or for its own number."""
    body = {"model": "m", "messages": [{"role": "user", "content": text or f"Say {n}."}]} | more
    road = {"custom_id": f"c{n}", "method": "POST", "url": "/v1/chat/completions", "body": body}
    return msgspec.json.encode(road)


def lines_of(*lines: bytes, end: bytes = b"\n") -> bytes:
    return b"".join(line + end for line in lines)


SIX = lines_of(*(chat(n) for n in range(6)))
