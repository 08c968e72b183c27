"""What was said before a message: by the messages of the ledger, and by what callers put there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

import msgspec

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
from shared.messages.stored_body import decode_body, has_references, references_in
from shared.persistence.engine import Database
from shared.persistence.prepared.constant_text import ConstantText


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

    The statements are constant text: to put one together costs more than the rest of a turn.
    """

    def __init__(self, database: Database) -> None:
        self._road, dialect = database.roads.reading, database.relaxed.dialect
        self._chain = ConstantText(within_bytes(of_chain()), dialect)
        self._conversation = ConstantText(within_bytes(of_conversation(), deleted_at()), dialect)

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
        rows = _within(rows, limit_bytes)
        kept = _kept(rows)
        telling = _told(rows, kept)
        added = telling.unheard(named(asked))
        # Taken out at last: what a client sends again is known again by what it was.
        return (
            [each.item for each in telling.items if _is_in(each, kept)],
            [each.item for each in added if kept.get(each.id or "", each.item) is not None],
        )

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
        rows = _within(rows, limit_bytes)
        kept = _kept(rows)
        return [each for each in _told(rows, kept).items if _is_in(each, kept)]

    async def _rows(self, statement: ConstantText, values: Mapping[str, object]) -> list[_Said]:
        rows = await self._road.rows(statement.text, statement.values(values))
        return [_Said(*row) for row in rows]


class _Said(NamedTuple):
    """A row of either statement, by the names of its columns."""

    id: str
    body: str | None
    output_text: str | None
    output_items: str | None
    kept: str | None
    """What a caller put in; its row has no body."""
    deleted_at: datetime | str | None = None
    """As the driver gives it: whether there is one is all that is asked."""


def _previous_gone(previous_id: str) -> NotFound:
    return NotFound(
        f"Previous response with id '{previous_id}' not found: it is not completed, or was "
        "deleted. Name another one as 'previous_response_id', or none, and send the message again.",
        param="previous_response_id",
        kind="previous_response_not_found",
    )


def _within(newest_first: list[_Said], limit_bytes: int) -> list[_Said]:
    """Those that are no larger in all with the content that they refer to, the newest in any case.

    Their own text was measured where they are.
    """
    left = limit_bytes
    for nth, row in enumerate(newest_first):
        if row.body is None or not has_references(row.body):
            continue
        left -= sum(each.size for each in references_in(decode_body(row.body.encode()).input))
        if left < 0:
            return newest_first[: max(nth, 1)]
    return newest_first


def _told(newest_first: Sequence[_Said], kept: Mapping[str, Item | None]) -> Telling:
    telling = Telling()
    for row in reversed(newest_first):
        if row.body is not None:
            asked = asked_by_id(row.id, decode_body(row.body.encode()).input)
            telling.add(telling.unheard([NamedItem(*each) for each in asked]))
            said = said_by_id(row.id, row.output_text, row.output_items)
            telling.add(NamedItem(*each) for each in said)
        elif (item := kept[row.id]) is not None:
            telling.add([NamedItem(row.id, item)])
    return telling


def _kept(rows: Sequence[_Said]) -> dict[str, Item | None]:
    """What callers put in, by its id, and None for what they took out."""
    return {
        row.id: None if row.kept is None else _item.decode(row.kept)
        for row in rows
        if row.body is None
    }


def _is_in(each: NamedItem, kept: Mapping[str, Item | None]) -> bool:
    """What callers say of an id holds, whatever a message says of it."""
    return each.id is None or each.id not in kept or kept[each.id] is each.item


_item: Final = msgspec.json.Decoder(Item)
