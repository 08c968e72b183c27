"""What was said before a message: by the messages of the ledger, and by what callers put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec
from sqlalchemy import Row, Select

from shared.conversations.catalogue import deleted_conversation
from shared.conversations.history_statements import (
    deleted_at,
    of_chain,
    of_conversation,
    within_bytes,
)
from shared.conversations.joining import NamedItem, Telling, named
from shared.errors import NotFound
from shared.messages.item import Item
from shared.messages.output import asked_by_id, said_by_id
from shared.messages.stored_body import decode_body
from shared.persistence.engine import Database
from shared.persistence.statements import reading


class ContinuingMessage(Protocol):
    """A message that may go on with others, by its columns."""

    @property
    def id(self) -> str: ...
    @property
    def tenant_id(self) -> str: ...
    @property
    def previous_id(self) -> str | None: ...
    @property
    def conversation_id(self) -> str | None: ...


class ConversationRepository:
    """What was said before a message, within its tenant; raises LedgerUnavailable.

    The statements are made once: to put one together costs more than the rest of a turn.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._chain = within_bytes(of_chain())
        self._conversation = within_bytes(of_conversation(), deleted_at())

    async def before(
        self, record: ContinuingMessage, asked: Sequence[Item], *, limit: int, limit_bytes: int
    ) -> tuple[list[Item], list[Item]]:
        """What was said before, oldest first, and what of `asked` that does not hold already.

        It is of up to `limit` messages of `limit_bytes` in all, the last one whatever its size. By
        `previous_response_id` it is the chain that led here; by `conversation` it is all that was
        completed in it so far. Where it is longer, its end is read, and what was deleted from the
        chain further back is left out. Raises NotFound when the named response itself or the
        conversation is gone.
        """
        values = {"tenant": record.tenant_id, "limit": limit, "limit_bytes": limit_bytes}
        if record.previous_id is not None:
            rows = await self._rows(self._chain, values | {"previous": record.previous_id})
            if not rows:
                raise _previous_gone(record.previous_id)
        elif record.conversation_id is not None:
            within = {"conversation": record.conversation_id, "own": record.id}
            rows = await self._rows(self._conversation, values | within)
            if rows and rows[0].deleted_at is not None:
                raise deleted_conversation(record.conversation_id)
        else:
            return [], [*asked]
        telling = _told(rows)
        added = telling.unheard(named(asked))
        # Taken out at last: what a client sends again is known again by what it was.
        out = _taken_out(rows)
        earlier = [each.item for each in telling.items if each.id not in out]
        return earlier, [each.item for each in added if each.id is None or each.id not in out]

    async def within(
        self, tenant_id: str, conversation_id: str, *, limit: int, limit_bytes: int
    ) -> list[NamedItem]:
        """The items that a message in this conversation would go on with, oldest first.

        Empty where there is no such conversation.
        """
        values = {"tenant": tenant_id, "limit": limit, "limit_bytes": limit_bytes}
        asked = {"conversation": conversation_id, "own": ""}
        rows = await self._rows(self._conversation, values | asked)
        if rows and rows[0].deleted_at is not None:
            return []
        out = _taken_out(rows)
        return [each for each in _told(rows).items if each.id not in out]

    async def _rows(self, statement: Select[Any], values: Mapping[str, object]) -> list[Row[Any]]:
        async with reading(self._database.relaxed) as connection:
            return list(await connection.execute(statement, values))


def _previous_gone(previous_id: str) -> NotFound:
    return NotFound(
        f"Previous response with id '{previous_id}' not found: it is not completed, or was "
        "deleted. Name another one as 'previous_response_id', or none, and send the message again.",
        param="previous_response_id",
        kind="previous_response_not_found",
    )


def _told(newest_first: Sequence[Row[Any]]) -> Telling:
    telling = Telling()
    for row in reversed(newest_first):
        if row.kept is not None:
            telling.add([NamedItem(row.id, _item.decode(row.kept))])
        elif row.body is not None:
            asked = asked_by_id(row.id, decode_body(row.body.encode()).input)
            telling.add(telling.unheard([NamedItem(*each) for each in asked]))
            said = said_by_id(row.id, row.output_text, row.output_items)
            telling.add(NamedItem(*each) for each in said)
    return telling


def _taken_out(rows: Sequence[Row[Any]]) -> frozenset[str]:
    return frozenset(row.id for row in rows if row.kept is None and row.body is None)


_item: Final = msgspec.json.Decoder(Item)
