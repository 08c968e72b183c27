"""The messages of the ledger, the latest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Row, Select, select

from shared.identifiers import RESPONSE, first_id
from shared.messages.lane import Lane
from shared.messages.record import Surface
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import readable, reading
from shared.persistence.tables import message

LOOKED_AT: Final = 5_000
"""Messages that a page looks at; a filter that few of them meet is gone on with."""


class MessageFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What messages are looked for: those that meet all of it. Times are of acceptance."""

    tenant_id: str | None = None
    user_id: str | None = None
    lane: Lane | None = None
    state: ResponseState | None = None
    model: str | None = None
    """The one that answered."""
    since: datetime | None = None
    until: datetime | None = None


class MessageRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message, without a word of what was said in it."""

    id: str
    tenant_id: str
    user_id: str | None
    conversation_id: str | None
    surface: Surface
    lane: Lane
    state: ResponseState
    accepted_at: datetime
    claimed_at: datetime | None
    finished_at: datetime | None
    attempt: int
    answered_by: str | None
    model: str | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    cost: Decimal | None
    incomplete_reason: str | None
    error_code: str | None


class MessageListing(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is where the page behind this one begins, None where nothing is left.

    With a `next` and few rows it was looked back to `looked_back_to`, and further back there may be
    more.
    """

    rows: Sequence[MessageRow]
    next: str | None
    looked_back_to: datetime | None


class MessagePages:
    """Pages of messages; everything raises LedgerUnavailable.

    Ids sort by time, so the primary key is the order of the list, and a page looks at no more than
    `looked_at` messages, however many there are and however few of them are looked for.
    """

    def __init__(self, database: Database, *, looked_at: int = LOOKED_AT) -> None:
        self._database = database
        self._looked_at = looked_at

    async def page(
        self, wanted: MessageFilter, *, before: str | None = None, limit: int
    ) -> MessageListing:
        """Those of the filter from behind the id `before` on."""
        looked = _within(wanted, before).limit(self._looked_at).subquery()
        page = select(looked).order_by(looked.c.id.desc()).limit(limit)
        page = page.where(*_conditions(wanted, looked.c))
        async with reading(self._database.relaxed) as connection:
            rows = [_row(row) for row in readable(await connection.execute(page))]
            if len(rows) == limit:
                return _page(rows, rows[-1].id, rows[-1].accepted_at)
            last = (await connection.execute(self._last_looked_at(wanted, before))).one_or_none()
        return _page(rows, *(last or (None, None)))

    def _last_looked_at(self, wanted: MessageFilter, before: str | None) -> Select[Any]:
        columns = message.c.id, message.c.accepted_at
        looked = _within(wanted, before).with_only_columns(*columns)
        return looked.offset(self._looked_at - 1).limit(1)


def _page(rows: list[MessageRow], following: str | None, at: datetime | None) -> MessageListing:
    return MessageListing(rows=rows, next=following, looked_back_to=at)


def _within(wanted: MessageFilter, before: str | None) -> Select[Any]:
    """All messages of that time, the latest first."""
    found = select(*LISTED).order_by(message.c.id.desc())
    if before is not None:
        found = found.where(message.c.id < before)
    if wanted.until is not None:
        found = found.where(message.c.id < first_id(RESPONSE, wanted.until))
    if wanted.since is not None:
        found = found.where(message.c.id >= first_id(RESPONSE, wanted.since))
    return found


def _conditions(wanted: MessageFilter, looked: Any) -> list[ColumnElement[bool]]:
    asked = {name: getattr(wanted, name) for name in _EQUAL}
    return [looked[name] == value for name, value in asked.items() if value is not None]


def _row(row: Row[Any]) -> MessageRow:
    return MessageRow(**row._mapping)


_EQUAL: Final = ("tenant_id", "user_id", "lane", "state", "model")
LISTED: Final = tuple(message.c[name] for name in MessageRow.__struct_fields__)
