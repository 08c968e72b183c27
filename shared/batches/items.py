"""The lines of a batch with what they have come to, read from the ledger itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Row

from shared.batches.batch import Batch, BatchCounts, BatchLine, BatchUsage
from shared.batches.item_statements import (
    COUNTS,
    EMBEDDED_TOKENS,
    FAILINGS,
    LINE_CANCELLED,
    MESSAGE_OF_LINE,
    OF_ITEM,
    PAGE,
    TOKENS,
    UNENDED,
    USAGE,
    WAITING,
)
from shared.batches.kept_embeddings import KeptEmbeddings
from shared.batches.line_fault import kept_fault
from shared.batches.state import BatchEndpoint, ItemOutcome
from shared.persistence.engine import Database
from shared.persistence.statements import reading, record_of

_PAGE_BYTES: Final = 8 * 1024 * 1024
_LONGEST_PAGE: Final = 500
_ANSWER_BYTES: Final = 8_192
"""What a line's answer is taken to have, for what a page is to have."""
_VECTOR_SHARE: Final = 256
"""What the vectors of short texts have, in such of what the texts have."""
DELETED: Final = "response_deleted"
_embeddings: Final = msgspec.json.Decoder(KeptEmbeddings)


class WaitingLine(NamedTuple):
    """A line that has not ended, and its message."""

    line: int
    message_id: str


class BatchItems:
    """Reads lines with their messages' ends; raises LedgerUnavailable.

    What is read while a batch runs is how it stood at that moment.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, of: Batch, *, after_line: int = 0, limit: int) -> list[BatchLine]:
        """The lines behind that one, in their order, `limit` at most; whole messages with them."""
        wanted = {"batch": of.id, "after": after_line, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(PAGE, wanted)
            return [_item_of(row) for row in rows]

    async def each(self, of: Batch) -> AsyncIterator[BatchLine]:
        """All lines in their order, of which few are in memory at a time."""
        line, limit = 0, _page_of(of)
        while page := await self.page(of, after_line=line, limit=limit):
            for item in page:
                yield item
            line = page[-1].line

    async def counts(self, of: Batch) -> BatchCounts:
        """How many lines have come to what: as it ended, or as it stands."""
        if of.counts is not None:
            return of.counts
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(COUNTS, {"batch": of.id})
            found = {ItemOutcome(outcome): count for outcome, count in rows}
        found.pop(ItemOutcome.WAITING, None)
        told = {str(outcome): count for outcome, count in found.items()}
        return BatchCounts(total=of.total or 0, **told)

    async def usage(self, of: Batch) -> BatchUsage:
        """What was spent on it: until it ended, or so far."""
        if of.usage is not None:
            return of.usage
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(USAGE, {"batch": of.id})).one()
            embedded = 0
            if of.endpoint is BatchEndpoint.EMBEDDINGS:
                embedded = await connection.scalar(EMBEDDED_TOKENS, {"batch": of.id}) or 0
        tokens = {name: int(row._mapping[name] or 0) for name in TOKENS}
        tokens["input_tokens"] += embedded
        return BatchUsage(**tokens, cost=Decimal(row.cost or 0))

    async def message_of(self, batch_id: str, line: int, *, tenant_id: str) -> str | None:
        """The message that a line of one of the tenant's batches became, if it became one."""
        wanted = {"batch": batch_id, "line": line, "tenant": tenant_id}
        async with reading(self._database.relaxed) as connection:
            return await connection.scalar(MESSAGE_OF_LINE, wanted)

    async def waiting(self, of: Batch, *, after_line: int = 0, limit: int) -> list[WaitingLine]:
        """Lines behind that one that have not ended, in their order."""
        wanted = {"batch": of.id, "after": after_line, "limit": limit}
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(WAITING, wanted)
            return [WaitingLine(row.line, row.message_id) for row in rows]

    async def unended(self, of: Batch, *, after_line: int = 0) -> list[str]:
        """The messages behind that line that have not ended: first those that workers have heard
        of, then those that run, then those that are held. It reads all lines there are."""
        wanted = {"batch": of.id, "after": after_line}
        async with reading(self._database.relaxed) as connection:
            return [*dict.fromkeys((await connection.execute(UNENDED, wanted)).scalars())]


def _page_of(of: Batch) -> int:
    # A page has whole requests, of 10 MB if need be.
    line_bytes = of.input_bytes // max(of.total or 1, 1)
    if of.endpoint is BatchEndpoint.EMBEDDINGS:
        line_bytes *= _VECTOR_SHARE
    line_bytes += _ANSWER_BYTES
    return max(1, min(_LONGEST_PAGE, _PAGE_BYTES // line_bytes))


def _item_of(row: Row[Any]) -> BatchLine:
    outcome = ItemOutcome(row.outcome)
    told = row[OF_ITEM:]
    found = record_of(told) if row.is_there else None
    fault = kept_fault(row.error_message)
    code, why = row.error_code, fault.message or None
    is_told = outcome is ItemOutcome.CANCELLED and code == LINE_CANCELLED
    if row.message_id is not None and found is None:
        code, why = DELETED, "Its response was deleted before the batch ended."
    elif found is not None and outcome in FAILINGS and not is_told:
        code, why = FAILINGS[outcome] or found.error_code, found.error_message
    return BatchLine(
        line=row.line,
        custom_id=row.custom_id,
        outcome=outcome,
        message=found,
        status_code=row.status_code,
        error_code=code,
        error_message=why,
        embeddings=None if row.answer is None else _embeddings.decode(row.answer),
        error_param=fault.param,
    )
