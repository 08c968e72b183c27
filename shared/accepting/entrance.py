"""Into the ledger, then the wake-up: the one way in, with or without an admission before it."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Protocol

from shared.errors import BrokerUnavailable
from shared.messages.lane import WakeUp
from shared.messages.record import MessageRecord
from shared.messages.stored_body import NO_CONTENTS, Contents
from shared.persistence.ledger.accepting import AcceptOutcome
from shared.persistence.ledger.records import AlreadyAccepted
from shared.queueing.publisher import Publisher


class AcceptingLedger(Protocol):
    """Where messages are committed."""

    def accept(self, record: MessageRecord, contents: Contents) -> Awaitable[AcceptOutcome]:
        """Put it on disk with what its body refers to, or say which message its idempotency key
        already names."""
        ...


class Entrance:
    """Commits the row of a message and wakes a worker.

    Whether the message may come in is asked before, by whoever asks. A wake-up that does not
    reach the broker is not this caller's trouble: the reconciler publishes it again.
    """

    def __init__(self, ledger: AcceptingLedger, publisher: Publisher) -> None:
        self._ledger = ledger
        self._publisher = publisher

    async def accept(
        self,
        record: MessageRecord,
        trace: Mapping[str, str] | None = None,
        contents: Contents = NO_CONTENTS,
    ) -> AcceptOutcome:
        """Commit the row, unless its key names another. Returns once it is on disk.

        Raises LedgerUnavailable; then nothing is promised.
        """
        outcome = await self._ledger.accept(record, contents)
        if not isinstance(outcome, AlreadyAccepted):
            self._publisher.submit(_wake_up(record, trace))
        return outcome

    async def accept_and_publish(
        self, record: MessageRecord, contents: Contents = NO_CONTENTS
    ) -> AcceptOutcome:
        """As `accept`, for a process that ends soon: it waits for the broker, if there is one."""
        outcome = await self._ledger.accept(record, contents)
        if not isinstance(outcome, AlreadyAccepted):
            with suppress(BrokerUnavailable):
                await self._publisher.publish([_wake_up(record)])
        return outcome


def _wake_up(record: MessageRecord, trace: Mapping[str, str] | None = None) -> WakeUp:
    return WakeUp(record.id, record.lane, record.deadline, dict(trace or {}))
