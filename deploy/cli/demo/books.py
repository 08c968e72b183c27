"""What the stack's ledger says behind the scenes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select

from deploy.cli.demo.dollars import NOTHING
from shared.batches.provider_batch import ProviderBatch, batch_of_row
from shared.batches.provider_tables import provider_batch
from shared.costs.spending import Spending, SpendingBy
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt, message


class Books:
    """Reads the ledger of a running stack; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spent(self) -> Decimal:
        """US dollars booked so far for all attempts of everybody, failed ones too."""
        rows = await Spending(self._database).report(SpendingBy.PROVIDER)
        return sum((row.cost for row in rows), NOTHING)

    async def calls(self) -> int:
        """How many calls of providers are booked so far."""
        async with reading(self._database.relaxed) as connection:
            return await connection.scalar(select(func.count()).select_from(attempt)) or 0

    async def begun(self, message_ids: Collection[str]) -> list[tuple[str, datetime]]:
        """Whose each booked call of these messages is, and when it began."""
        of_them = select(attempt.c.message_id, attempt.c.started_at).where(
            attempt.c.message_id.in_(message_ids)
        )
        async with reading(self._database.relaxed) as connection:
            return [(row.message_id, row.started_at) for row in await connection.execute(of_them)]

    async def handed_over(self) -> list[ProviderBatch]:
        """What providers were given as batches of their own."""
        async with reading(self._database.relaxed) as connection:
            return [batch_of_row(row) for row in await connection.execute(select(provider_batch))]

    async def workers_of(self, message_ids: Collection[str]) -> set[int]:
        """The process ids of the workers that claimed these messages last."""
        claimed = select(message.c.claimed_by).where(
            message.c.id.in_(message_ids), message.c.claimed_by.is_not(None)
        )
        async with reading(self._database.relaxed) as connection:
            names = (await connection.scalars(claimed)).all()
        # A worker signs with its host, its process id and a word of its own.
        return {int(name.rsplit(":", 2)[1]) for name in names}
