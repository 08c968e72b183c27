"""How far batches are, told in a time that does not depend on how large they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import Any, Final

import msgspec
from sqlalchemy import Integer, Row, bindparam, select

from shared.batches.batch import Batch, BatchCounts
from shared.batches.item_statements import OUTCOME, WITH_MESSAGES
from shared.batches.state import ItemOutcome
from shared.batches.tables import batch_item
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import message

LINES_LOOKED_AT: Final = 400
"""Of a batch that has not ended: all of one with no more, evenly spaced ones of another."""


class BatchStanding(msgspec.Struct, frozen=True, kw_only=True):
    """`cost` is US dollars so far, None where it is not known; equal lines once."""

    counts: BatchCounts
    cost: Decimal | None
    is_sampled: bool


class ProgressOfBatches:
    """Raises LedgerUnavailable."""

    def __init__(self, database: Database, *, looked_at: int = LINES_LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at
        self._wanted = IdList(database.relaxed.dialect, Integer())
        self._lines_of = _LINES.where(self._wanted.holds(batch_item.c.line))

    async def of(self, batches: Sequence[Batch]) -> list[BatchStanding]:
        """Of each of them: as it ended, or as it stands."""
        async with reading(self._database.relaxed) as connection:
            return [
                _ended(each)
                if each.counts is not None
                else _told(
                    each,
                    (await connection.execute(self._lines_of, self._lines(each))).all(),
                    is_sampled=self._apart(each) > 1,
                )
                for each in batches
            ]

    def _lines(self, of: Batch) -> dict[str, Any]:
        lines = range(1, of.cursor_line + 1, self._apart(of))
        return self._wanted.parameters([*lines]) | {"batch": of.id}

    def _apart(self, of: Batch) -> int:
        return max(1, ceil(of.cursor_line / self._looked_at))


def _ended(of: Batch) -> BatchStanding:
    cost = None if of.usage is None else of.usage.cost
    return BatchStanding(counts=of.counts or BatchCounts(), cost=cost, is_sampled=False)


def _told(of: Batch, lines: Sequence[Row[Any]], *, is_sampled: bool) -> BatchStanding:
    """Those between two lines that were looked at are taken to have come to the same; lines that
    are not messages yet wait."""
    each_stands_for = of.cursor_line / len(lines) if is_sampled and lines else 1.0
    found = Counter(line.outcome for line in lines)
    counts = {name: round(found[name] * each_stands_for) for name in _COUNTED}
    paid = {line.message_id: line.cost for line in lines if line.cost is not None}
    return BatchStanding(
        counts=BatchCounts(total=of.total or 0, **counts),
        cost=sum(paid.values(), Decimal(0)) * Decimal(each_stands_for),
        is_sampled=is_sampled,
    )


_COUNTED: Final = [str(outcome) for outcome in ItemOutcome if outcome is not ItemOutcome.WAITING]
# In no order: Postgres, told not to sort, would walk over all lines for one.
_LINES: Final = (
    select(batch_item.c.line, batch_item.c.message_id, OUTCOME.label("outcome"), message.c.cost)
    .select_from(WITH_MESSAGES)
    .where(batch_item.c.batch_id == bindparam("batch"))
)
