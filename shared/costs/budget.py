"""What a tenant may spend in a day: what to reserve for a message, and what the ledger booked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Final

from sqlalchemy import func, select

from shared.clock import Clock
from shared.costs.price import nano_dollars
from shared.costs.prices import Prices
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt
from shared.reservations.account import EPOCH_DAY
from shared.resilience.kept_running import end_tasks

RECHECK_SECONDS: Final = 60.0
"""How often the ledger is asked whether Redis missed something."""
_FRESH_SECONDS: Final = 2.0
_BOOKED_FOR_GOOD: Final = timedelta(seconds=60)
"""A settlement this old has been told to Redis too, or never will be."""


@dataclass(frozen=True, slots=True)
class BudgetQuestion:
    """The part of an admission that is about money, in billionths of a dollar.

    `booked` is all that the ledger has for `day`, for a Redis that has forgotten; `settled` leaves
    out the last minute, so that nothing that Redis is about to hear of is counted twice.
    """

    cap: int | None = None
    reserve: int = 0
    day: int = 0
    booked: int | None = None
    settled: int | None = None

    @property
    def arguments(self) -> tuple[int | str, ...]:
        """ARGV 8 to 12 of admission.lua."""
        values = (self.cap, self.reserve, self.day, self.booked, self.settled)
        return tuple("" if value is None else value for value in values)


NO_BUDGET: Final = BudgetQuestion()


@dataclass(frozen=True, slots=True)
class _Reading:
    day: int
    booked: int
    settled: int
    at: float


class Budgets:
    """Puts the question of money for each message of a tenant that has a cap."""

    def __init__(self, database: Database, prices: Prices, clock: Clock) -> None:
        self._database = database
        self._prices = prices
        self._clock = clock
        self._readings: dict[str, _Reading] = {}
        self._reading: dict[str, asyncio.Task[None]] = {}

    def for_message(
        self,
        tenant_id: str,
        cap: Decimal,
        *,
        size_bytes: int,
        messages: int,
        max_output_tokens: int | None,
    ) -> BudgetQuestion:
        """What to ask for a message before anybody has chosen who answers it."""
        dearest = self._prices.dearest(
            size_bytes=size_bytes,
            messages=messages,
            max_output_tokens=max_output_tokens,
            at=self._clock.now(),
        )
        return self.question(tenant_id, cap, reserve=nano_dollars(dearest))

    def question(self, tenant_id: str, cap: Decimal, *, reserve: int) -> BudgetQuestion:
        """What to ask so that `reserve` is kept for a message, with what the ledger said lately.

        `reserve` is in billionths of a dollar.
        """
        reading = self._readings.get(tenant_id)
        age = inf if reading is None else self._clock.monotonic() - reading.at
        if age > RECHECK_SECONDS:
            self._read_soon(tenant_id)
        if reading is None:
            return BudgetQuestion(nano_dollars(cap), reserve)
        booked = reading.booked if age <= _FRESH_SECONDS else None
        return BudgetQuestion(nano_dollars(cap), reserve, reading.day, booked, reading.settled)

    async def read(self, tenant_id: str) -> None:
        """Ask the ledger now; callers at the same time share the answer.

        Raises LedgerUnavailable.
        """
        await asyncio.shield(self._read_soon(tenant_id))

    async def booked_today(self, tenant_id: str) -> Decimal:
        """US dollars that the ledger has booked since midnight in UTC; raises LedgerUnavailable."""
        await self.read(tenant_id)
        return Decimal(self._readings[tenant_id].booked).scaleb(-9)

    async def close(self) -> None:
        """Stop reading."""
        await end_tasks(*self._reading.values())

    def _read_soon(self, tenant_id: str) -> asyncio.Task[None]:
        task = self._reading.get(tenant_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._read(tenant_id))
            self._reading[tenant_id] = task
            task.add_done_callback(lambda done: self._forget(tenant_id, done))
        return task

    def _forget(self, tenant_id: str, task: asyncio.Task[None]) -> None:
        self._reading.pop(tenant_id, None)
        if not task.cancelled():
            task.exception()  # whoever waits has it; nobody may be waiting

    async def _read(self, tenant_id: str) -> None:
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        booked = await self._booked(tenant_id, midnight, until=None)
        settled = await self._booked(tenant_id, midnight, until=now - _BOOKED_FOR_GOOD)
        day = now.toordinal() - EPOCH_DAY
        self._readings[tenant_id] = _Reading(day, booked, settled, self._clock.monotonic())

    async def _booked(self, tenant_id: str, since: datetime, *, until: datetime | None) -> int:
        query = select(func.sum(attempt.c.cost)).where(
            attempt.c.tenant_id == tenant_id, attempt.c.booked_at >= since
        )
        if until is not None:
            query = query.where(attempt.c.booked_at < until)
        async with reading(self._database.relaxed) as connection:
            spent = await connection.scalar(query)
        return nano_dollars(Decimal(spent or 0).quantize(Decimal("1e-9")))
