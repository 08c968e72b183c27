"""A message whose words may be used for more than its own answer."""

from __future__ import annotations

from sqlalchemy import select

from shared.errors import ForebayError
from shared.identifiers import EVALUATION_MESSAGE
from shared.messages.body import Body
from shared.messages.record import MessageRecord
from shared.messages.stored_body import readable_body
from shared.persistence.engine import Database
from shared.persistence.statements import RECORD_COLUMNS, readable, reading, record_of
from shared.persistence.tables import message


class NotCut(ForebayError):
    """A message that is not used, and why: to be read behind "messages"."""

    code = "not_cut"


async def kept_message(database: Database, response_id: str, *, tenant_id: str) -> MessageRecord:
    """Raises NotCut for one that is gone, erased, of another version, was not to be stored or is of
    an evaluation, LedgerUnavailable."""
    query = select(*RECORD_COLUMNS).where(message.c.id == response_id)
    async with reading(database.relaxed) as connection:
        row = next(readable(await connection.execute(query)), None)
    record = None if row is None else record_of(row)
    if record is None or record.tenant_id != tenant_id:
        raise NotCut("are gone, were erased, or are of another version")
    if record.store is False:
        raise NotCut("were not to be stored")
    if record.erased_at is not None:
        raise NotCut("are gone, were erased, or are of another version")
    if (record.idempotency_key or "").startswith(f"{EVALUATION_MESSAGE}_"):
        raise NotCut("were asked by an evaluation")
    return record


def body_of(record: MessageRecord) -> Body:
    """What it asks; raises NotCut for one of another version."""
    body = readable_body(record.body.encode())
    if body is None:
        raise NotCut("cannot be read by this version")
    return body
