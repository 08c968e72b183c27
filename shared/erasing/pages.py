"""Pages: the rows that an erasure is about, found a few at a time, in the order of a key.

A user's are found by walking all that was accepted until it was asked for: no index leads to them,
since each would be written anew with every message, for what is asked a few times a year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from json import dumps
from typing import Any, Final, NamedTuple, assert_never

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Row,
    Select,
    String,
    Table,
    and_,
    bindparam,
    case,
    false,
    func,
    select,
)

from shared.erasing.erasures import Erasure
from shared.erasing.tables import ErasureSubject
from shared.identifiers import RESPONSE, first_id
from shared.messages.state import TERMINAL
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt, dead_letter, message

QUIET: Final = timedelta(minutes=1)
"""How long after its end nothing more is written of a message: an answer that is stored after the
reply, a call that is booked late, by a worker that was told a moment ago that it is cancelled."""
_ROWS: Final = 500
_LETTERS: Final = 100
_COUNTED: Final = 10_000


class MessagePage(NamedTuple):
    """What one look found. `left` counts what has ended too short a time ago, and `quiet_at` is
    when that has been long enough."""

    ended: list[str]
    running: list[str]
    left: int
    quiet_at: datetime
    last: str
    is_last: bool


class KeyPage(NamedTuple):
    """Keys of rows of the subject, and where to look on from."""

    keys: list[str]
    last: str
    is_last: bool


class Pages:
    """Reads an erasure's next page of each kind; raises LedgerUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def messages(self, of: Erasure, *, now: datetime) -> MessagePage:
        """Of a conversation, those that are left; of a user, those behind the erasure's place."""
        match of.subject:
            case ErasureSubject.USER:
                rows = await self._rows(_OF_USER, _values(of))
                theirs = [row for row in rows if row.is_theirs]
                last = rows[-1].id if rows else of.place
                return _message_page(theirs, last, now=now, is_last=len(rows) < _ROWS)
            case ErasureSubject.CONVERSATION:
                values = _values(of) | {"quiet": now - QUIET}
                if ended := await self._rows(_QUIET, values):
                    return _message_page(ended, of.place, now=now, is_last=False)
                rest = await self._rows(_REST, values)
                return _message_page(rest, of.place, now=now, is_last=True)
            case _:
                assert_never(of.subject)

    async def look(self, of: Erasure, *, now: datetime) -> MessagePage:
        """The same for who only counts: of a conversation all at once, 10,000 at most."""
        if of.subject is ErasureSubject.USER:
            return await self.messages(of, now=now)
        rows = await self._rows(_IN_CONVERSATION.limit(_COUNTED), _values(of))
        return _message_page(rows, of.place, now=now, is_last=True)

    async def bookings(self, of: Erasure) -> KeyPage:
        """Messages for which something was booked to this user, by their ids."""
        rows = await self._rows(_BOOKED, _values(of))
        return _key_page(rows, {row.key for row in rows if row.is_theirs}, of, limit=_ROWS)

    async def letters(self, of: Erasure) -> KeyPage:
        """Dead letters of the tenant, accepted by nobody, that name the subject."""
        rows = await self._rows(_LETTERS_OF_TENANT, _values(of))
        named = {row.key for row in rows if _names(row, of.name or "")}
        return _key_page(rows, named, of, limit=_LETTERS)

    async def _rows(self, query: Select[Any], values: Mapping[str, Any]) -> list[Row[Any]]:
        async with reading(self._database.relaxed) as connection:
            return [*(await connection.execute(query, values))]


def _values(of: Erasure) -> dict[str, Any]:
    return {
        "tenant": of.tenant_id,
        "name": of.name,
        "place": of.place,
        "until": first_id(RESPONSE, of.created_at),
    }


def _message_page(
    theirs: Sequence[Row[Any]], last: str, *, now: datetime, is_last: bool
) -> MessagePage:
    ended = [row for row in theirs if row.state.is_terminal]
    quiet = [row.id for row in ended if row.finished_at <= now - QUIET]
    running = [row.id for row in theirs if not row.state.is_terminal]
    # A clock that was ahead must not be waited for.
    quiet_at = min(now, max((row.finished_at for row in ended), default=now)) + QUIET
    return MessagePage(quiet, running, len(ended) - len(quiet), quiet_at, last, is_last)


def _key_page(rows: Sequence[Row[Any]], theirs: set[str], of: Erasure, *, limit: int) -> KeyPage:
    return KeyPage(sorted(theirs), rows[-1].key if rows else of.place, len(rows) < limit)


def _names(letter: Row[Any], name: str) -> bool:
    """Whether it holds the name as a JSON text: no letter of theirs is without it."""
    said = (letter.body or b"") + b" " + (letter.headers or "").encode()
    return any(spelling in said for spelling in (msgspec.json.encode(name), dumps(name).encode()))


_TENANT: Final = bindparam("tenant", type_=String)
_NAME: Final = bindparam("name", type_=String)


def _behind(key: Column[Any], *until: ColumnElement[bool]) -> Select[Any]:
    """A walk along a key, from the erasure's place."""
    return select(key).where(key > bindparam("place"), *until).order_by(key)


def _theirs(table: Table) -> ColumnElement[bool]:
    owned = and_(table.c.tenant_id == _TENANT, table.c.user_id == _NAME)
    return func.coalesce(owned, false()).label("is_theirs")


_IN_CONVERSATION: Final = select(message.c.id, message.c.state, message.c.finished_at).where(
    message.c.tenant_id == _TENANT, message.c.conversation_id == _NAME
)
_OF_USER: Final = (
    _behind(message.c.id, message.c.id < bindparam("until"))
    .add_columns(message.c.state, message.c.finished_at, _theirs(message))
    .limit(_ROWS)
)
_QUIET: Final = (
    _IN_CONVERSATION.where(
        message.c.state.in_(TERMINAL), message.c.finished_at <= bindparam("quiet")
    )
    .order_by(message.c.finished_at)
    .limit(_ROWS)
)
_REST: Final = _IN_CONVERSATION.limit(_ROWS)
_BOOKED: Final = (
    select(attempt.c.message_id.label("key"), _theirs(attempt))
    .where(attempt.c.message_id > bindparam("place"), attempt.c.message_id < bindparam("until"))
    .order_by(attempt.c.message_id)
    .limit(_ROWS)
)
_IS_TENANTS: Final = dead_letter.c.tenant_id == _TENANT
_LETTERS_OF_TENANT: Final = (
    select(
        dead_letter.c.id.label("key"),
        case((_IS_TENANTS, dead_letter.c.body)).label("body"),
        case((_IS_TENANTS, dead_letter.c.headers)).label("headers"),
    )
    .where(dead_letter.c.id > bindparam("place"))
    .order_by(dead_letter.c.id)
    .limit(_LETTERS)
)
