"""The messages of one conversation, whoever's it is, the last to end first."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import Select, bindparam, select, tuple_

from shared.persistence.engine import Database
from shared.persistence.statements import readable, reading
from shared.persistence.tables import message, tenant
from shared.storable_text import is_storable
from shared.views.message_pages import LISTED, MessageRow
from shared.views.place import Place

MOST_OPEN: Final = 100
"""Messages of a conversation that have not ended: they come before the others, once."""
_MOST_TENANTS: Final = 20


class ConversationPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is where the page behind this one begins, None where nothing is left."""

    rows: list[MessageRow]
    next: str | None


class ConversationMessages:
    """Finds them by the index of conversations; everything raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenants(self, conversation_id: str) -> list[str]:
        """Whose conversations have this id: tenants name theirs as they like, so it may be several.

        It looks into the index once for each tenant there is.
        """
        if not is_storable(conversation_id):
            return []
        async with reading(self._database.relaxed) as connection:
            found = await connection.execute(_TENANTS, {"conversation": conversation_id})
            return [*found.scalars()]

    async def page(
        self,
        tenant_id: str,
        conversation_id: str,
        *,
        before: Place | None = None,
        limit: int,
    ) -> ConversationPage:
        """Those that have not ended, and then those that have, from behind that place on."""
        ended = _ENDED if before is None else _ENDED.where(_behind(before))
        wanted = {"tenant": tenant_id, "conversation": conversation_id}
        async with reading(self._database.relaxed) as connection:
            rows: list[MessageRow] = []
            if before is None:
                rows += _rows(await connection.execute(_OPEN, wanted))
            told = _rows(await connection.execute(ended.limit(limit), wanted))
        following = _next(told[-1]) if len(told) == limit else None
        return ConversationPage(rows=rows + told, next=following)


def _rows(result: Any) -> list[MessageRow]:
    return [MessageRow(**row._mapping) for row in readable(result)]


def _next(last: MessageRow) -> str | None:
    return None if last.finished_at is None else Place(last.finished_at, last.id).told()


def _behind(place: Place) -> Any:
    ended, identifier = message.c.finished_at, message.c.id
    return tuple_(ended, identifier) < place.row(ended, identifier)


_OF_CONVERSATION: Final[Select[Any]] = select(*LISTED).where(
    message.c.tenant_id == bindparam("tenant"),
    message.c.conversation_id == bindparam("conversation"),
)
_OPEN: Final = _OF_CONVERSATION.where(message.c.finished_at.is_(None)).limit(MOST_OPEN)
_ENDED: Final = _OF_CONVERSATION.where(message.c.finished_at.is_not(None)).order_by(
    message.c.finished_at.desc(), message.c.id.desc()
)
# Looked up one by one: an EXISTS that is made a join may read all there is.
_ONE_OF_TENANT: Final = (
    select(message.c.id)
    .where(
        message.c.tenant_id == tenant.c.id,
        message.c.conversation_id == bindparam("conversation"),
    )
    .correlate(tenant)
    .limit(1)
    .scalar_subquery()
)
_TENANTS: Final = (
    select(tenant.c.id)
    .where(_ONE_OF_TENANT.is_not(None))
    .order_by(tenant.c.id)
    .limit(_MOST_TENANTS)
)
