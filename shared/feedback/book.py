"""The book of feedback: what was said of each answer, the last word of each source."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    Integer,
    Row,
    Select,
    String,
    and_,
    bindparam,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.clock import Clock
from shared.errors import Conflict, ForebayError, LedgerUnavailable
from shared.feedback.record import EarlierVerdict, FeedbackRecord, record_of_row
from shared.feedback.tables import feedback
from shared.feedback.verdict import FeedbackVerdict
from shared.identifiers import FEEDBACK, nth_id
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction

MOST_ON_ONE: Final = 32
"""Names and sources that one answer may be judged under."""
KEPT_EARLIER: Final = 20
_MOST_A_MINUTE: Final = 10
_TRIES: Final = 5
_MINUTE: Final = timedelta(minutes=1)


class ChangedTooOften(ForebayError):
    """One source changes its mind too fast: after `retry_after_seconds` it may again."""

    code = "feedback_too_often"


class Given(NamedTuple):
    """What is kept now, and whether that is new: the same again changes nothing."""

    record: FeedbackRecord
    is_new: bool


class FeedbackBook:
    """Raises LedgerUnavailable when the database does not answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def give(self, tenant_id: str, response_id: str, said: FeedbackVerdict) -> Given:
        """Keep it, in place of what the same source said under the same name.

        Raises Conflict where an answer has all that it may have, and ChangedTooOften.
        """
        for _ in range(_TRIES):
            try:
                async with transaction(self._database.durable) as connection:
                    given = await self._give(connection, tenant_id, response_id, said)
            except IntegrityError:
                continue  # somebody else was first, with this or with another
            if given is not None:
                return given
        raise LedgerUnavailable("Others judge this answer, too.", retry_after_seconds=1.0)

    async def of(self, tenant_id: str, response_id: str) -> list[FeedbackRecord]:
        """All that was said of one answer, in the order in which it was first said."""
        async with reading(self._database.relaxed) as connection:
            found = await self._all(connection, tenant_id, response_id)
        return sorted(found, key=lambda each: (each.created_at, each.id))

    async def page(
        self,
        tenant_id: str,
        *,
        name: str | None = None,
        negative: bool = False,
        before: FeedbackRecord | None = None,
        limit: int = 100,
    ) -> list[FeedbackRecord]:
        """A tenant's, the newest first: of that name alone, or what speaks against an answer
        alone, and what was given before that one."""
        query = _OF_TENANT.limit(limit)
        if name is not None:
            query = query.where(feedback.c.name == name)
        if negative:
            query = query.where(_NEGATIVE)
        if before is not None:
            query = query.where(_given_before(before.at, before.id))
        async with reading(self._database.relaxed) as connection:
            return [*map(_record, await connection.execute(query, {"tenant": tenant_id}))]

    async def named(self, tenant_id: str, feedback_id: str) -> FeedbackRecord | None:
        """One of the tenant's by its own id."""
        query = select(feedback).where(
            feedback.c.id == feedback_id, feedback.c.tenant_id == tenant_id
        )
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _record(row)

    async def _all(
        self, connection: AsyncConnection, tenant_id: str, response_id: str
    ) -> list[FeedbackRecord]:
        # By the response alone: a database without statistics may read all of a tenant's instead.
        rows = await connection.execute(_OF_RESPONSE, {"response": response_id})
        return [_record(row) for row in rows if row.tenant_id == tenant_id]

    async def _give(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        response_id: str,
        said: FeedbackVerdict,
    ) -> Given | None:
        """None where another writer came in between."""
        kept = await self._all(connection, tenant_id, response_id)
        now = self._clock.now()
        for each in kept:
            if (each.name, each.source) == (said.name, said.source):
                return await self._change(connection, each, said, now)
        taken = {each.id for each in kept}
        free = (nth_id(FEEDBACK, response_id, nth) for nth in range(MOST_ON_ONE))
        new_id = next((each for each in free if each not in taken), None)
        if new_id is None:
            raise Conflict(
                f"'{response_id}' has {MOST_ON_ONE} pieces of feedback, as many as one answer may "
                "have. Change one of them: send it under the same name and source."
            )
        values = _said(said) | {"given_at": now, "created_at": now, "earlier": "[]", "changes": 0}
        values |= {"id": new_id, "tenant_id": tenant_id, "response_id": response_id}
        await connection.execute(insert(feedback).values(values))
        return Given(record_of_row(values), is_new=True)

    async def _change(
        self,
        connection: AsyncConnection,
        kept: FeedbackRecord,
        said: FeedbackVerdict,
        now: datetime,
    ) -> Given | None:
        if _is_same(kept, said):
            return Given(kept, is_new=False)
        before = EarlierVerdict(kept.at, kept.original, kept.value, kept.scale)
        earlier = (before, *kept.earlier)[:KEPT_EARLIER]
        # One of a clock that was far ahead says nothing of how fast they come now.
        lately = [each.at for each in earlier if abs(each.at - now) < _MINUTE]
        if len(lately) >= _MOST_A_MINUTE:
            wait = (lately[_MOST_A_MINUTE - 1] + _MINUTE - now).total_seconds()
            raise ChangedTooOften(
                f"'{kept.name}' by '{kept.source}' was given {_MOST_A_MINUTE} times within a "
                "minute. Send the last word later.",
                retry_after_seconds=wait,
            )
        values = _said(said) | {"given_at": now, "changes": kept.changes + 1}
        values["earlier"] = msgspec.json.encode(earlier).decode()
        changed = await connection.execute(
            update(feedback)
            .where(feedback.c.id == kept.id, feedback.c.changes == kept.changes)
            .values(values)
        )
        if not changed.rowcount:
            return None
        same = {"id": kept.id, "tenant_id": kept.tenant_id, "response_id": kept.response_id}
        return Given(record_of_row(same | {"created_at": kept.created_at} | values), is_new=True)


def _is_same(kept: FeedbackRecord, said: FeedbackVerdict) -> bool:
    old = (type(kept.original), kept.original, kept.scale, kept.comment, kept.entry)
    return old == (type(said.original), said.original, said.scale, said.comment, said.entry)


def _said(said: FeedbackVerdict) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.structs.asdict(said)
    values["original"] = msgspec.json.encode(said.original).decode()
    values["scale"] = None if said.scale is None else msgspec.json.encode(said.scale).decode()
    return values | {"is_negative": said.is_negative}


def _record(row: Row[Any]) -> FeedbackRecord:
    return record_of_row(row._asdict())


def _given_before(at: datetime, feedback_id: str) -> Any:
    columns, then = feedback.c, bindparam(None, at, type_=UtcDateTime)
    return or_(columns.given_at < then, and_(columns.given_at == then, columns.id < feedback_id))


_NEGATIVE: Final = text("is_negative")
"""As the index of these spells it."""
_TENANT: Final = feedback.c.tenant_id == bindparam("tenant", type_=String)
_OF_RESPONSE: Final = (
    select(feedback)
    .where(feedback.c.response_id == bindparam("response", type_=String))
    .limit(bindparam("most", MOST_ON_ONE, type_=Integer))
)
_OF_TENANT: Final[Select[Any]] = (
    select(feedback).where(_TENANT).order_by(feedback.c.given_at.desc(), feedback.c.id.desc())
)
