"""Which way back a dead letter takes: through the ledger, or through the `intake` queue."""

from __future__ import annotations

import asyncio
from typing import Final

import msgspec

from deploy.cli.dead.intake import put_on_intake
from shared.accepting.entrance import Entrance
from shared.accepting.ledger_entry import LedgerEntries
from shared.clock import SystemClock
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.files.content_ledger import ContentLedger
from shared.files.database_content import DatabaseContent
from shared.messages.stored_body import decode_body, references_in
from shared.persistence.dead_letters import BODY_LIMIT_BYTES, DeadLetter, DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AlreadyAccepted
from shared.persistence.tables import DeadLetterState
from shared.queueing.publisher import build_publisher
from shared.queueing.topology import QueueName
from shared.settings import Settings
from shared.telemetry.metrics import Metrics

_KEY_PREFIX: Final = "replay:"


class Replayed(msgspec.Struct, frozen=True):
    """`replayed_as` is the new message's id, or `intake` where acceptance will give it one."""

    letter_id: str
    replayed_as: str


async def replay_letter(
    letter_id: str, database: Database, settings: Settings, *, key: str | None
) -> Replayed:
    """Send it again, once: repeating this after a crash does not double the message.

    Raises NotFound, Conflict where it is closed or cannot be sent again, InvalidRequest where a
    key is needed, Unavailable.
    """
    letters = DeadLetterRepository(database, SystemClock())
    letter = await letters.show(letter_id)
    if letter.state is not DeadLetterState.OPEN:
        raise Conflict(f"The dead letter '{letter_id}' is {letter.state} already.")
    if letter.body is None:
        replayed_as = await _through_the_ledger(letter, database, settings)
    else:
        replayed_as = await _through_intake(letter, letter.body, settings, key)
    await letters.close_letter(letter_id, state=DeadLetterState.REPLAYED, replayed_as=replayed_as)
    return Replayed(letter_id, replayed_as)


async def _through_the_ledger(letter: DeadLetter, database: Database, settings: Settings) -> str:
    """The new message's id. Its idempotency key names the letter, so there is one at most.

    Admission is not asked: the message was let in once.
    """
    clock, metrics = SystemClock(), Metrics()
    ledger = MessageLedger(database, settings.ledger, clock, metrics)
    publisher = build_publisher(settings.broker, metrics)
    accepts = ContentLedger(ledger, database, DatabaseContent(database), clock)
    entries, entrance = LedgerEntries(settings.lanes, clock), Entrance(accepts, publisher)
    try:
        old = await ledger.find(letter.message_id or "")
        if old is None:
            raise NotFound(f"The message of '{letter.id}' is no longer in the ledger.")
        await publisher.start()
        key = f"{_KEY_PREFIX}{letter.id}"
        referred = references_in(decode_body(old.body.encode()).input)
        outcome = await entrance.accept_and_publish(
            entries.renewed(old, idempotency_key=key), {each.digest: () for each in referred}
        )
    finally:
        await publisher.close()
        await accepts.close()
    return outcome.message_id if isinstance(outcome, AlreadyAccepted) else outcome.record.id


async def _through_intake(
    letter: DeadLetter, body: bytes, settings: Settings, key: str | None
) -> str:
    if len(body) >= BODY_LIMIT_BYTES:
        raise Conflict(
            f"Only the beginning of '{letter.id}' was kept, so its producer must send it again. "
            "Close it with `forebay dead discard`."
        )
    if key is None:
        raise InvalidRequest(
            "Keys are not kept with dead letters: set FOREBAY_API_KEY to one of the tenant that "
            "sent this message."
        )
    await asyncio.to_thread(put_on_intake, letter, body, settings.broker, key=key)
    return QueueName.INTAKE.value
