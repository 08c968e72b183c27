"""Which way back a dead letter takes: through the ledger, or through the `intake` queue."""

from __future__ import annotations

import asyncio

import msgspec

from deploy.cli.dead.accepted import accept_again
from deploy.cli.dead.intake import put_on_intake
from shared.clock import SystemClock
from shared.errors import Conflict, InvalidRequest
from shared.persistence.dead_letters import BODY_LIMIT_BYTES, DeadLetter, DeadLetterRepository
from shared.persistence.engine import Database
from shared.persistence.tables import DeadLetterState
from shared.queueing.topology import QueueName
from shared.settings import Settings


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
        replayed_as = await accept_again(letter, database, settings)
    else:
        replayed_as = await _through_intake(letter, letter.body, settings, key)
    await letters.close_letter(letter_id, state=DeadLetterState.REPLAYED, replayed_as=replayed_as)
    return Replayed(letter_id, replayed_as)


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
