"""A message that waits for a person, with all that a model would have been given."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from shared.clock import Clock
from shared.conversations.history import ConversationRepository
from shared.errors import Conflict, NotFound
from shared.messages.body import Body
from shared.messages.item import Item
from shared.messages.stored_body import readable_body
from shared.persistence.engine import Database
from shared.persistence.handoffs import Handoff, HandoffRepository
from shared.settings.turn.context import ContextSettings


class ShownHandoff(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation` ends with what was asked; `missing` says what of it is gone, if anything."""

    handoff: Handoff
    body: Body
    conversation: list[Item]
    missing: str | None = None


class _Continued(NamedTuple):
    """A message that waits, by what it continues."""

    id: str
    tenant_id: str
    previous_id: str | None
    conversation_id: str | None


class HandoffViews:
    """Reads handoffs one by one; raises LedgerUnavailable."""

    def __init__(self, database: Database, context: ContextSettings, clock: Clock) -> None:
        self._inbox = HandoffRepository(database, clock)
        self._said = ConversationRepository(database)
        self._context = context

    async def show(self, handoff_id: str) -> ShownHandoff:
        """It, and the conversation up to it, as far as a model would be given it; raises NotFound,
        and Conflict for one that this version cannot read.

        Where what it continues was deleted, what was asked with it is all there is.
        """
        found = await self._inbox.show(handoff_id)
        body = readable_body(found.body.encode())
        if body is None:
            raise Conflict(
                f"What '{handoff_id}' asks cannot be read by this version: another one wrote it."
            )
        of = _Continued(found.message_id, found.tenant_id, found.previous_id, found.conversation_id)
        limit, limit_bytes = self._context.message_limit, self._context.history_bytes
        try:
            earlier, added = await self._said.before(
                of, body.input, limit=limit, limit_bytes=limit_bytes
            )
        except NotFound as gone:
            return ShownHandoff(
                handoff=found, body=body, conversation=[*body.input], missing=gone.message
            )
        return ShownHandoff(handoff=found, body=body, conversation=[*earlier, *added])
