"""The ledger as a door uses it: an answer in time, whatever the database does."""

from __future__ import annotations

import asyncio
from typing import Final

from ingress.patience import Patience, too_late
from shared.errors import CommitUnknown, LedgerUnavailable, NotFound
from shared.files.content_ledger import ContentLedger
from shared.messages.record import MessageRecord
from shared.messages.stored_body import Contents, size_of
from shared.persistence.ledger.accepting import AcceptOutcome
from shared.persistence.ledger.message_ledger import MessageLedger

_MIB: Final = 1_048_576


class PromptLedger:
    """Raises LedgerUnavailable after `timeout_seconds`, where a frozen database says nothing.

    A call that was given up may still happen: an accept that comes through late is answered like
    any other, and whoever repeats it under its idempotency key finds it.
    """

    def __init__(
        self, ledger: MessageLedger, accepts: ContentLedger, *, timeout_seconds: float
    ) -> None:
        self._ledger = ledger
        self._accepts = accepts
        self._patience = Patience(timeout_seconds)

    async def accept(self, record: MessageRecord, contents: Contents) -> AcceptOutcome:
        """Put a message on disk, or say which one its idempotency key already names.

        A large one has as much time again for each MiB. Raises CommitUnknown: a database that is
        lost at the commit may have made it.
        """
        try:
            # The query belongs to a group, which goes on: this ends our waiting alone.
            if not contents:  # as most: nothing of theirs lies apart, so nobody else is asked
                commit, large = self._ledger.accept(record), len(record.body) // _MIB
            else:
                commit, large = self._accepts.accept(record, contents), size_of(contents) // _MIB
            if not large:
                return await self._patience.bound(commit)
            async with asyncio.timeout(self._patience.seconds * (1 + large)):
                return await commit
        except TimeoutError:
            raise CommitUnknown("No commit in time.", retry_after_seconds=1.0) from None
        except LedgerUnavailable as error:
            raise CommitUnknown(error.message, retry_after_seconds=1.0) from error

    async def find(
        self, message_id: str, *, tenant_id: str, wait_seconds: float = 0.0
    ) -> MessageRecord | None:
        """The message, if there is one and it is this tenant's; none that was erased.

        Whoever would wait `wait_seconds` for its end waits for a slow ledger as long.
        """
        found = await self.trace(message_id, tenant_id=tenant_id, wait_seconds=wait_seconds)
        return None if found is None or found.erased_at is not None else found

    async def trace(
        self, message_id: str, *, tenant_id: str, wait_seconds: float = 0.0
    ) -> MessageRecord | None:
        """The same, or what is left of a message that was erased."""
        try:
            # As above: the group goes on, and its connection is not lost to our impatience.
            async with asyncio.timeout(max(self._patience.seconds, wait_seconds)):
                return await self._ledger.trace(message_id, tenant_id=tenant_id)
        except TimeoutError:
            raise too_late() from None

    async def mark_fetched(self, message_id: str) -> None:
        """Note that the caller of an unstored message has its end; nothing while it has none."""
        await self._patience.wait(self._ledger.mark_fetched(message_id))

    async def cancel(self, message_id: str, *, tenant_id: str) -> MessageRecord | None:
        """Cancel it if it has not ended; the record as it stands then, None if there is none."""
        if "\0" in message_id:
            return None
        return await self._patience.wait(self._ledger.cancel(message_id, tenant_id=tenant_id))

    async def delete(self, message_id: str, *, tenant_id: str) -> bool:
        """Forget an ended message; False if there is none, Conflict while it has not ended."""
        if "\0" in message_id:
            return False
        return await self._patience.wait(self._ledger.delete(message_id, tenant_id=tenant_id))


def unknown_response(message_id: str) -> NotFound:
    """There is none, or it is another tenant's: the caller cannot tell which."""
    return NotFound(f"Response with id '{message_id}' not found.", param="response_id")
