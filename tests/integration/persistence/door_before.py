"""A door of the version before this one: how it puts a message into the ledger."""

from __future__ import annotations

from datetime import timedelta
from operator import attrgetter
from typing import Final

from sqlalchemy import Text, bindparam, text

from shared.messages.record import MessageRecord
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import transaction

_OF_RECORD: Final = (
    *("id", "tenant_id", "lane", "body", "accepted_at", "deadline", "surface", "user_id"),
    *("conversation_id", "previous_id", "idempotency_key", "body_digest", "estimated_tokens"),
    *("traceparent", "reply_to", "reply_correlation", "reply_shape", "state", "attempt"),
    "not_before",
)
_COLUMNS: Final = (*_OF_RECORD, "wake_at", "wakes")
_TIMES: Final = ("accepted_at", "deadline", "not_before", "wake_at")
_ACCEPT: Final = text(
    f"INSERT INTO message ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)}) "
    "ON CONFLICT DO NOTHING RETURNING id"
).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in _TIMES))
_OWNER: Final = text(
    "SELECT id, body_digest FROM message WHERE tenant_id = :tenant_id AND idempotency_key = :key"
).bindparams(bindparam("tenant_id", type_=Text()), bindparam("key", type_=Text()))
_values = attrgetter(*_OF_RECORD)


class DoorBefore:
    """Accepts messages, and knows nothing of columns that were added since."""

    def __init__(self, database: Database) -> None:
        self._engine = database.durable

    async def accept(self, record: MessageRecord) -> tuple[str, bool]:
        """The message that the record's key names now, and whether it has the same body."""
        row = dict(zip(_OF_RECORD, _values(record), strict=True))
        row |= {"wake_at": record.accepted_at + timedelta(seconds=15), "wakes": 0}
        async with transaction(self._engine) as connection:
            if (await connection.execute(_ACCEPT, row)).one_or_none() is not None:
                return record.id, True
            key = {"tenant_id": record.tenant_id, "key": record.idempotency_key}
            owner = (await connection.execute(_OWNER, key)).one()
        return owner.id, owner.body_digest == record.body_digest
