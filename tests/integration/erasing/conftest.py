"""A ledger and a Redis with messages in them, and the eraser of both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import Table, insert, select

from shared.clock import ManualClock
from shared.erasing.erasing import Erasing, open_erasing
from shared.erasing.erasures import Erasure
from shared.identifiers import first_id
from shared.messages.dead_letter import DeadReason
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.tables import dead_letter
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from tests.integration.persistence.conftest import (
    NewMessage,
    claims,
    clock,
    database,
    ledger,
    new_message,
    settings,
)

__all__ = ["claims", "clock", "database", "ledger", "new_message", "settings"]


@pytest.fixture
async def erasing(
    redis_url: str, settings: LedgerSettings, database: Database, clock: ManualClock
) -> AsyncIterator[Erasing]:
    whole = Settings(ledger=settings, redis=RedisSettings(url=ServerUrl(redis_url)))
    async with open_erasing(whole, database, clock) as opened:
        yield opened


class Talks:
    """Messages that were said, answered and paid for."""

    def __init__(
        self,
        database: Database,
        ledger: MessageLedger,
        claims: ClaimGroup,
        clock: ManualClock,
        new_message: NewMessage,
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.claims = claims
        self.clock = clock
        self._new_message = new_message
        self._made = 0

    async def accept(self, **more: object) -> MessageRecord:
        """A message under an id of now."""
        self._made += 1
        self.clock.advance(0.01)
        made = first_id("resp", self.clock.now())[:-4] + f"{self._made:04x}"
        record = self._new_message(id=made, **more)
        await self.ledger.accept(record)
        return record

    async def answered(
        self, *, state: ResponseState = ResponseState.COMPLETED, **more: object
    ) -> MessageRecord:
        """One that has ended, with an attempt whose detail quotes its caller."""
        record = await self.accept(**more)
        await self.end(record, state=state)
        return record

    async def end(
        self, record: MessageRecord, *, state: ResponseState = ResponseState.COMPLETED
    ) -> bool:
        """Claim it and write its end."""
        (claimed,) = await self.claims.flush([record.id])
        assert isinstance(claimed, MessageRecord)
        return await self.settle(claimed, state=state)

    async def settle(
        self, record: MessageRecord, *, state: ResponseState = ResponseState.COMPLETED
    ) -> bool:
        now = self.clock.now()
        called = AttemptRecord(
            provider="p", model="m", started_at=now, latency_seconds=1.0, detail="a secret"
        )
        failed = state is ResponseState.FAILED
        return await self.ledger.settle(
            Settlement(
                message_id=record.id,
                tenant_id=record.tenant_id,
                user_id=record.user_id,
                attempt=record.attempt,
                state=state,
                finished_at=now,
                output_text="a secret, answered",
                report='{"cache":"a secret"}',
                attempts=(called,),
                dead_reason=DeadReason.INVALID if failed else None,
                error_message="a secret was wrong" if failed else None,
                handoff_reason="a secret" if state is ResponseState.REQUIRES_ACTION else None,
            )
        )

    async def letter(self, letter_id: str, body: bytes) -> None:
        """A dead letter that came over a queue, of nothing that was accepted."""
        values = {"id": letter_id, "state": "open", "reason": DeadReason.REFUSED, "detail": ""}
        values |= {"tenant_id": "ten_1", "body": body, "created_at": self.clock.now()}
        async with self.database.durable.begin() as connection:
            await connection.execute(insert(dead_letter).values(values))

    async def rows(self, table: Table) -> list[dict[str, object]]:
        async with self.database.relaxed.connect() as connection:
            rows = await connection.execute(select(table).order_by(*table.primary_key))
            return [dict(row._mapping) for row in rows]


@pytest.fixture
def talks(
    database: Database,
    ledger: MessageLedger,
    claims: ClaimGroup,
    clock: ManualClock,
    new_message: NewMessage,
) -> Talks:
    return Talks(database, ledger, claims, clock, new_message)


async def finish(erasing: Erasing, erasure: Erasure, clock: ManualClock) -> Erasure:
    """Step by step to its end; whenever it has to wait, the time passes."""
    current: Erasure | None = erasure
    for _ in range(50):
        assert current is not None
        if current.completed_at is not None:
            return current
        assert current.due_at is not None
        clock.advance(max(0.0, (current.due_at - clock.now()).total_seconds()))
        await erasing.eraser.step(current)
        current = await erasing.erasures.find(erasure.id, tenant_id=erasure.tenant_id)
    raise AssertionError(msgspec.json.encode(current))
