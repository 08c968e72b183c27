"""The one way in: the key that opens it, then into the ledger, then the wake-up.

With or without an admission between the two.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from typing import Final, Protocol

from shared.dispatch.hints import DispatchHints
from shared.errors import BrokerUnavailable, Forbidden, Unauthenticated
from shared.messages.lane import WakeUp
from shared.messages.record import MessageRecord
from shared.messages.stored_body import NO_CONTENTS, Contents
from shared.messages.tenant import KeyScope
from shared.persistence.key_records import KEY_PREFIX
from shared.persistence.ledger.accepting import AcceptOutcome
from shared.persistence.ledger.records import AlreadyAccepted
from shared.queueing.publisher import Publisher

_LONGEST_KEY: Final = 256
_SCHEME: Final = "bearer "


class AcceptingLedger(Protocol):
    """Where messages are committed."""

    def accept(self, record: MessageRecord, contents: Contents) -> Awaitable[AcceptOutcome]:
        """Put it on disk with what its body refers to, or say which message its idempotency key
        already names."""
        ...


class Entrance:
    """Commits the row of a message and wakes a worker.

    Whether the message may come in is asked before, by whoever asks, and whether it is held:
    then the dispatcher, who gets a hint, wakes a worker for it in its turn. A wake-up that does not
    reach the broker is not this caller's trouble: the reconciler publishes it again.
    """

    def __init__(
        self, ledger: AcceptingLedger, publisher: Publisher, hints: DispatchHints | None = None
    ) -> None:
        self._ledger = ledger
        self._publisher = publisher
        self._hints = hints

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
        if isinstance(outcome, AlreadyAccepted):
            return outcome
        if record.held_at is None:
            self._publisher.submit(_wake_up(record, trace))
        elif self._hints is not None:
            self._hints.note(record.lane)
        return outcome

    async def accept_and_publish(
        self, record: MessageRecord, contents: Contents = NO_CONTENTS
    ) -> AcceptOutcome:
        """As `accept`, for a process that ends soon and holds nothing: it waits for the broker, if
        there is one."""
        outcome = await self._ledger.accept(record, contents)
        if not isinstance(outcome, AlreadyAccepted):
            with suppress(BrokerUnavailable):
                await self._publisher.publish([_wake_up(record)])
        return outcome


def _wake_up(record: MessageRecord, trace: Mapping[str, str] | None = None) -> WakeUp:
    return WakeUp(record.id, record.lane, record.deadline, dict(trace or {}))


def key_of(authorization: str | None, api_key: str | None) -> str:
    """The key in clear, out of the two headers that may hold it; raises Unauthenticated."""
    if authorization:
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("Unknown authorization scheme. Use 'Authorization: Bearer fb_…'.")
        key = authorization[len(_SCHEME) :].strip()
    elif api_key:
        key = api_key.strip()
    else:
        raise Unauthenticated("No API key. Send it as 'Authorization: Bearer fb_…'.")
    if not key.startswith(KEY_PREFIX) or len(key) > _LONGEST_KEY or not key.isascii():
        raise unknown_key()
    return key


def unknown_key() -> Unauthenticated:
    """The error for a key that opens nothing."""
    return Unauthenticated("The API key is unknown, expired or revoked. Use a valid one.")


def may_not_post(scope: KeyScope) -> Forbidden:
    """The error for a key that opens the console and nothing else."""
    return Forbidden(
        f"This is a key of scope '{scope}', which opens the console alone. Use one of scope "
        "'producer' or 'admin'."
    )


def may_not_write() -> Forbidden:
    """The error for a key that sees less than everything of its tenant's index."""
    return Forbidden(
        "This key reads the documents of some principals, and no more. Use a key made without "
        "--principal and --delegates."
    )
