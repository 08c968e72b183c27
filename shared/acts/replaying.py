"""Which way back a dead letter takes: through the ledger, or through the `intake` queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from shared.accepting.entrance import Entrance
from shared.accepting.ledger_entry import LedgerEntries
from shared.acts.intake_return import put_on_intake
from shared.clock import SystemClock
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.messages.stored_body import readable_body, references_in
from shared.persistence.dead_letters import BODY_LIMIT_BYTES, DeadLetter, DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AlreadyAccepted
from shared.persistence.tables import DeadLetterState
from shared.queueing.publisher import build_publisher
from shared.queueing.topology import QueueName
from shared.settings import Settings
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics

_KEY_PREFIX: Final = "replay:"


class Replayed(msgspec.Struct, frozen=True):
    """`replayed_as` is the new message's id, or `intake` where acceptance will give it one."""

    letter_id: str
    replayed_as: str


class LetterReplays:
    """Sends dead letters again, each once: repeating it after a crash does not double a message."""

    def __init__(
        self,
        letters: DeadLetterRepository,
        ledger: MessageLedger,
        entries: LedgerEntries,
        entrance: Entrance,
        broker: BrokerSettings,
    ) -> None:
        self._letters = letters
        self._ledger = ledger
        self._entries = entries
        self._entrance = entrance
        self._broker = broker

    async def replay(self, letter_id: str, *, key: str | None) -> Replayed:
        """Send it again; `key` goes with a message for `intake`, since keys are not kept.

        Raises NotFound, Conflict where it is closed or cannot be sent again, InvalidRequest where
        a key is needed, Unavailable.
        """
        letter = await self._letters.show(letter_id)
        if letter.state is not DeadLetterState.OPEN:
            raise Conflict(f"The dead letter '{letter_id}' is {letter.state} already.")
        if letter.body is None:
            replayed_as = await self._through_the_ledger(letter)
        else:
            replayed_as = await self._through_intake(letter, letter.body, key)
        await self._letters.close_letter(
            letter_id, state=DeadLetterState.REPLAYED, replayed_as=replayed_as
        )
        return Replayed(letter_id, replayed_as)

    async def _through_the_ledger(self, letter: DeadLetter) -> str:
        """The new message's id. Its idempotency key names the letter, so there is one at most.

        Admission is not asked: the message was let in once.
        """
        old = await self._ledger.find(letter.message_id or "")
        if old is None:
            raise NotFound(f"The message of '{letter.id}' is no longer in the ledger.")
        body = readable_body(old.body.encode())
        if body is None:
            raise Conflict(
                f"The message of '{letter.id}' cannot be read by this version, so its producer "
                "must send it again. Close it with `forebay dead discard`."
            )
        key = f"{_KEY_PREFIX}{letter.id}"
        referred = references_in(body.input)
        outcome = await self._entrance.accept_and_publish(
            self._entries.renewed(old, idempotency_key=key),
            {each.digest: () for each in referred},
        )
        return outcome.message_id if isinstance(outcome, AlreadyAccepted) else outcome.record.id

    async def _through_intake(self, letter: DeadLetter, body: bytes, key: str | None) -> str:
        if len(body) >= BODY_LIMIT_BYTES:
            raise Conflict(
                f"Only the beginning of '{letter.id}' was kept, so its producer must send it again."
                " Close it with `forebay dead discard`."
            )
        if key is None:
            raise InvalidRequest(
                "Keys are not kept with dead letters: set FOREBAY_API_KEY to one of the tenant "
                "that sent this message."
            )
        await asyncio.to_thread(put_on_intake, letter, body, self._broker, key=key)
        return QueueName.INTAKE.value


@asynccontextmanager
async def letter_replays(database: Database, settings: Settings) -> AsyncIterator[LetterReplays]:
    """Its own way to the broker, for as long as letters are sent again; raises Unavailable."""
    clock, metrics = SystemClock(), Metrics()
    ledger = MessageLedger(database, settings.ledger, clock, metrics)
    publisher = build_publisher(settings.broker, metrics)
    accepts = ContentLedger(ledger, database, DatabaseContent(database), clock)
    try:
        await publisher.start()
        yield LetterReplays(
            DeadLetterRepository(database, clock),
            ledger,
            LedgerEntries(settings.lanes, clock),
            Entrance(accepts, publisher),
            settings.broker,
        )
    finally:
        await publisher.close()
        await accepts.close()
