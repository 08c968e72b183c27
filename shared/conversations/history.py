"""Conversations, read from the ledger itself: its completed messages are the only record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    bindparam,
    func,
    literal,
    select,
)

from shared.conversations.joining import NamedItem, Telling, named
from shared.errors import NotFound
from shared.messages.item import Item
from shared.messages.output import asked_by_id, said_by_id
from shared.messages.state import ResponseState
from shared.messages.stored_body import decode_body
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import message

_SAID = (message.c.id, message.c.body, message.c.output_text, message.c.output_items)


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
        self._chain = _within_bytes(_chain())
        self._conversation = _within_bytes(_conversation())

    async def before(
        self, record: ContinuingMessage, asked: Sequence[Item], *, limit: int, limit_bytes: int
    ) -> tuple[list[Item], list[Item]]:
        """What was said before, oldest first, and what of `asked` that does not hold already.

        It is of up to `limit` messages of `limit_bytes` in all. By `previous_response_id` it is
        the chain that led here; by `conversation` it is all that was completed in it so far.
        Where it is longer, its end is read, and what was deleted from the chain further back is
        left out. Raises NotFound when the named response itself is gone.
        """
        values = {"tenant": record.tenant_id, "limit": limit, "limit_bytes": limit_bytes}
        if record.previous_id is not None:
            rows = await self._rows(self._chain, values | {"previous": record.previous_id})
            if not rows:
                await self._check_previous(record)
        elif record.conversation_id is not None:
            within = {"conversation": record.conversation_id, "own": record.id}
            rows = await self._rows(self._conversation, values | within)
        else:
            return [], [*asked]
        telling = Telling()
        for row in reversed(rows):
            _tell(telling, row)
        added = telling.unheard(named(asked))
        return [each.item for each in telling.items], [each.item for each in added]

    async def _rows(self, statement: Select[Any], values: Mapping[str, object]) -> list[Row[Any]]:
        async with reading(self._database.relaxed) as connection:
            return list(await connection.execute(statement, values))

    async def _check_previous(self, record: ContinuingMessage) -> None:
        """What was read is empty where the response is larger than may be read, too."""
        query = select(literal(1)).where(*_previous())
        values = {"tenant": record.tenant_id, "previous": record.previous_id}
        async with reading(self._database.relaxed) as connection:
            found = await connection.scalar(query, values)
        if found is None:
            raise NotFound(
                f"Previous response with id '{record.previous_id}' not found: it is not completed, "
                "or was deleted. Name another one as 'previous_response_id', or none, and send the "
                "message again.",
                param="previous_response_id",
            )


def _within_bytes(newest_first: FromClause) -> Select[Any]:
    # The sum runs where the rows are: a conversation of large messages must not be loaded to
    # find out that it is too large.
    said = newest_first.c
    size = func.length(said.body) + sum(
        func.coalesce(func.length(each), 0) for each in (said.output_text, said.output_items)
    )
    counted = select(
        said.id,
        said.body,
        said.output_text,
        said.output_items,
        said.depth,
        func.sum(size).over(order_by=said.depth).label("bytes"),
    ).subquery("counted")
    return (
        select(counted.c.id, counted.c.body, counted.c.output_text, counted.c.output_items)
        .where(counted.c.bytes <= bindparam("limit_bytes", type_=BigInteger))
        .order_by(counted.c.depth)
    )


def _conversation() -> FromClause:
    newest_first = message.c.finished_at.desc(), message.c.id.desc()
    return (
        select(*_SAID, func.row_number().over(order_by=newest_first).label("depth"))
        .where(
            message.c.tenant_id == bindparam("tenant"),
            message.c.conversation_id == bindparam("conversation"),
            message.c.state == ResponseState.COMPLETED,
            message.c.id != bindparam("own"),
        )
        .order_by(*newest_first)
        .limit(bindparam("limit", type_=Integer))
        .subquery("newest_first")
    )


def _chain() -> FromClause:
    # Tenant and state are each link's own, compared with those of the link after it: given as
    # values, SQLite reads the whole table first to know which ids are worth looking up.
    link = (message.c.previous_id, message.c.tenant_id, message.c.state, *_SAID)
    chain = (
        select(*link, literal(1).label("depth")).where(*_previous()).cte("chain", recursive=True)
    )
    return chain.union_all(
        select(*link, chain.c.depth + 1)
        .join(chain, message.c.id == chain.c.previous_id)
        .where(
            message.c.tenant_id == chain.c.tenant_id,
            message.c.state == chain.c.state,
            chain.c.depth < bindparam("limit", type_=Integer),
        )
    )


def _previous() -> tuple[ColumnElement[bool], ...]:
    return (
        message.c.id == bindparam("previous"),
        message.c.tenant_id == bindparam("tenant"),
        message.c.state == ResponseState.COMPLETED,
    )


def _tell(telling: Telling, row: Row[Any]) -> None:
    asked = asked_by_id(row.id, decode_body(row.body.encode()).input)
    telling.add(telling.unheard([NamedItem(*each) for each in asked]))
    said = said_by_id(row.id, row.output_text, row.output_items)
    telling.add(NamedItem(*each) for each in said)
