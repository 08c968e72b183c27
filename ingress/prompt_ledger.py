"""The ledger as a door uses it: an answer in time, whatever the database does."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from shared.errors import LedgerUnavailable
from shared.messages.record import MessageRecord
from shared.persistence.ledger.accepting import AcceptOutcome
from shared.persistence.ledger.message_ledger import MessageLedger

T = TypeVar("T")


class PromptLedger:
    """Raises LedgerUnavailable after `timeout_seconds`, where a frozen database says nothing.

    A call that was given up may still happen: an accept that comes through late is answered like
    any other, and whoever repeats it under its idempotency key finds it.
    """

    def __init__(self, ledger: MessageLedger, *, timeout_seconds: float) -> None:
        self._ledger = ledger
        self._timeout_seconds = timeout_seconds
        self._given_up: set[asyncio.Task[Any]] = set()

    async def accept(self, record: MessageRecord) -> AcceptOutcome:
        """Put a message on disk, or say which one its idempotency key already names."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._ledger.accept(record)
        except TimeoutError:
            raise _too_late() from None

    async def find(self, message_id: str, *, tenant_id: str) -> MessageRecord | None:
        """The message, if there is one and it is this tenant's."""
        if "\0" in message_id:
            return None
        return await self._in_time(self._ledger.find(message_id, tenant_id=tenant_id))

    async def cancel(self, message_id: str, *, tenant_id: str) -> MessageRecord | None:
        """Cancel it if it has not ended; the record as it stands then, None if there is none."""
        if "\0" in message_id:
            return None
        return await self._in_time(self._ledger.cancel(message_id, tenant_id=tenant_id))

    async def delete(self, message_id: str, *, tenant_id: str) -> bool:
        """Forget an ended message; False if there is none, Conflict while it has not ended."""
        if "\0" in message_id:
            return False
        return await self._in_time(self._ledger.delete(message_id, tenant_id=tenant_id))

    async def _in_time(self, call: Coroutine[Any, Any, T]) -> T:
        # Not `asyncio.timeout`: cancelling a query makes the driver ask the frozen server to stop
        # it, and wait for that. A call that is late is left behind, and ends when it can.
        task = asyncio.ensure_future(call)
        done, _ = await asyncio.wait({task}, timeout=self._timeout_seconds)
        if not done:
            self._given_up.add(task)
            task.add_done_callback(self._forget)
            task.cancel()
            raise _too_late()
        return task.result()

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._given_up.discard(task)
        if not task.cancelled():
            task.exception()


def _too_late() -> LedgerUnavailable:
    return LedgerUnavailable("The ledger does not answer.", retry_after_seconds=1.0)
