"""Feedback as an operator reads it: from the ledger, of any tenant."""

from __future__ import annotations

from deploy.cli.connection import command_settings, open_ledger
from deploy.cli.tenants import tenant_named
from shared.clock import SystemClock
from shared.errors import NotFound
from shared.feedback.book import FeedbackBook
from shared.feedback.record import FeedbackRecord, response_id_of
from shared.persistence.message_history import read_history
from shared.persistence.tenants import TenantRepository


async def page(
    tenant: str, *, name: str | None, negative: bool, after: str | None, limit: int
) -> list[FeedbackRecord]:
    """A tenant's, the newest first. Raises NotFound, LedgerUnavailable."""
    clock = SystemClock()
    async with open_ledger(command_settings()) as database:
        owner = await tenant_named(tenant, TenantRepository(database, clock))
        book = FeedbackBook(database, clock)
        before = None if after is None else await book.named(owner.id, after)
        if after is not None and before is None:
            raise NotFound(f"{tenant} has no feedback '{after}'. See: forebay feedback list")
        return await book.page(owner.id, name=name, negative=negative, before=before, limit=limit)


async def of_answer(answer: str) -> list[FeedbackRecord]:
    """All of one answer. Raises NotFound, LedgerUnavailable."""
    async with open_ledger(command_settings()) as database:
        history = await read_history(database, response_id_of(answer))
        if history.record is None:
            raise NotFound(f"There is no message '{answer}' any more, and nothing said of it.")
        return await FeedbackBook(database, SystemClock()).of(
            history.record.tenant_id, history.record.id
        )
