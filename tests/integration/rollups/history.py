"""Random lives of messages, by every statement that ends one or books an attempt."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

from sqlalchemy import select

from shared.clock import ManualClock
from shared.identifiers import new_response_id
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.handoffs import HandoffRepository
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.ledger.settling import SettleGroup
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.persistence.statements import reading
from shared.persistence.tables import HandoffState, handoff
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message

_ENDS: Final = (
    *(ResponseState.COMPLETED,) * 4,
    *(ResponseState.FAILED, ResponseState.INCOMPLETE, ResponseState.REQUIRES_ACTION),
)
_COSTS: Final = (None, Decimal("0.000000001"), Decimal("0.25"), Decimal("12.345678901"))


class MessageHistory:
    """Steps of many messages' lives, drawn by a seed; a clock that goes back now and then."""

    def __init__(self, database: Database, clock: ManualClock, seed: int) -> None:
        self.random = Random(seed)
        self._database = database
        self._clock = clock
        self.ledger = MessageLedger(database, LedgerSettings(), clock, Metrics())
        self._claims = ClaimGroup(database, clock, worker="w1", lease_seconds=15)
        self._settles = SettleGroup(database)
        self._sweeps = LedgerSweeps(database, LedgerSettings(), clock)
        self._handoffs = HandoffRepository(database, clock)
        self._queued: list[str] = []
        self._running: list[MessageRecord] = []
        self._ended: list[MessageRecord] = []
        self._written: list[Settlement] = []

    async def step(self) -> None:
        """Something happens to some of them."""
        self._clock.advance(self.random.choice((0.25, 7, 65, 900, -120)) + self.random.random())
        happens = (
            *(self._accept, self._claim, self._settle, self._settle),
            *(self._repeat, self._cancel, self._answer, self._expire, self._book_late),
        )
        await self.random.choice(happens)()

    async def _accept(self) -> None:
        now = self._clock.now()
        for _ in range(self.random.randint(1, 6)):
            record = queued_message(
                id=new_response_id(),
                tenant_id=self.random.choice(("ten_1", "ten_2", "ten_3")),
                lane=self.random.choice([*Lane]),
                accepted_at=now,
                deadline=now + timedelta(seconds=self.random.choice((5, 600, 86_400))),
            )
            await self.ledger.accept(record)
            self._queued.append(record.id)

    async def _claim(self) -> None:
        some, self._queued = self._queued[:5], self._queued[5:]
        taken = await self._claims.flush(some)
        self._running += [each for each in taken if isinstance(each, MessageRecord)]

    async def _settle(self) -> None:
        some, self._running = self._running[:4], self._running[4:]
        ends = [self._end(record) for record in some]
        if ends:
            await self._settles.flush(ends)
            self._ended += some
            self._written += ends

    async def _repeat(self) -> None:
        """What was written comes again, and an end that its fence refuses."""
        for end in self.random.sample(self._written, min(2, len(self._written))):
            await self._settles.flush([end])
        if self._ended:
            stranger = self._end(self.random.choice(self._ended))
            await self._settles.flush([stranger])

    async def _cancel(self) -> None:
        for record in self.random.sample(self._running, min(1, len(self._running))):
            await self.ledger.cancel(record.id, tenant_id=record.tenant_id)
        for message_id in self._queued[:1]:
            await self.ledger.cancel(message_id, tenant_id="ten_1")

    async def _answer(self) -> None:
        async with reading(self._database.relaxed) as connection:
            query = select(handoff.c.id).where(handoff.c.state == HandoffState.OPEN)
            open_ones = (await connection.scalars(query)).all()
        for each in open_ones[:2]:
            await self._handoffs.answer(each, text="So it is.", answered_by="ann")

    async def _expire(self) -> None:
        await self._sweeps.expire_deadlines()

    async def _book_late(self) -> None:
        for record in self.random.sample(self._ended, min(2, len(self._ended))):
            variant, late = self._variant(), self._attempts(1, 2)
            await self.ledger.book_late(record, late, first_ordinal=4, variant=variant)

    def _end(self, record: MessageRecord) -> Settlement:
        state = self.random.choice(_ENDS)
        is_stored = state is ResponseState.COMPLETED and self.random.random() < 0.3
        fields: dict[str, Any] = {"input_tokens": 10, "cached_tokens": 3, "output_tokens": 7}
        if is_stored:
            fields["saved"] = self.random.choice((Decimal(0), Decimal("0.125")))
        return Settlement(
            message_id=record.id,
            tenant_id=record.tenant_id,
            lane=record.lane,
            attempt=record.attempt,
            claimed=self.random.choice((record, None)),
            variant=self._variant(),
            state=state,
            finished_at=self._clock.now(),
            model=self.random.choice((None, "small", "large")),
            answered_by=self.random.choice(("primary", "secondary", "rules")),
            cost=self.random.choice(_COSTS),
            attempts=self._attempts(0, 3),
            dead_reason=DeadReason.CHAIN_EXHAUSTED if state is ResponseState.FAILED else None,
            handoff_reason="asked" if state is ResponseState.REQUIRES_ACTION else None,
            **fields,
        )

    def _variant(self) -> str | None:
        return self.random.choice((None, None, "brief"))

    def _attempts(self, fewest: int, most: int) -> tuple[AttemptRecord, ...]:
        return tuple(
            AttemptRecord(
                provider=self.random.choice(("primary", "secondary")),
                model="small",
                started_at=self._clock.now(),
                latency_seconds=self.random.choice((0.0155, 0.8, 61.25)),
                error_class=self.random.choice((None, None, "rate_limited")),
                input_tokens=self.random.choice((None, 20)),
                output_tokens=9,
                is_estimated=self.random.random() < 0.3,
                cost=self.random.choice(_COSTS),
            )
            for _ in range(self.random.randint(fewest, most))
        )
