"""Which answers of a time are judged: all that are suspicious, and some of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from random import Random
from typing import Any, Final

from sqlalchemy import String, bindparam, select

from shared.clock import Clock
from shared.feedback.book import FeedbackBook
from shared.identifiers import RESPONSE, first_id
from shared.messages.state import ResponseState
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import attempt, handoff
from shared.views.message_pages import MessageFilter, MessagePages

_PAGE: Final = 200
_REJECTED: Final = "rejected"


class AnswerSample:
    """Of one tenant, since a moment. Everything raises LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock, *, tenant_id: str, since: datetime):
        self._database = database
        self._clock = clock
        self._tenant_id = tenant_id
        self._since = since

    async def suspicious(self) -> list[str]:
        """Answers that somebody spoke badly of, that a human gave, or of which a draft was caught
        by the guardrail; each once."""
        named = {"tenant": self._tenant_id, "since": self._since}
        first = {"tenant": self._tenant_id, "first": first_id(RESPONSE, self._since)}
        found = [each async for each in self._spoken_badly_of()]
        async with reading(self._database.relaxed) as connection:
            found += (await connection.execute(_HANDED_OFF, named)).scalars()
            found += (await connection.execute(_CAUGHT, first)).scalars()
        return [*dict.fromkeys(found)]

    async def some(self, size: int, dice: Random) -> list[str]:
        """So many of all completed ones, each as likely as any other (Vitter's algorithm R)."""
        kept: list[str] = []
        seen = 0
        async for response_id in self._completed():
            seen += 1
            if len(kept) < size:
                kept.append(response_id)
            elif (place := dice.randrange(seen)) < size:
                kept[place] = response_id
        return kept

    async def _spoken_badly_of(self) -> AsyncIterator[str]:
        book, before = FeedbackBook(self._database, self._clock), None
        while page := await book.page(self._tenant_id, negative=True, before=before, limit=_PAGE):
            for each in page:
                if each.at < self._since:
                    return
                yield each.response_id
            before = page[-1]

    async def _completed(self) -> AsyncIterator[str]:
        pages, before = MessagePages(self._database), None
        wanted = MessageFilter(
            tenant_id=self._tenant_id, state=ResponseState.COMPLETED, since=self._since
        )
        while True:
            page = await pages.page(wanted, before=before, limit=_PAGE)
            for row in page.rows:
                yield row.id
            if page.next is None:
                return
            before = page.next


def _of_tenant(column: Any) -> Any:
    return column == bindparam("tenant", type_=String)


_HANDED_OFF: Final = select(handoff.c.message_id).where(
    _of_tenant(handoff.c.tenant_id),
    handoff.c.created_at >= bindparam("since", type_=UtcDateTime),
    handoff.c.answered_at.is_not(None),
)
_CAUGHT: Final = (
    select(attempt.c.message_id)
    .where(
        attempt.c.message_id >= bindparam("first", type_=String),
        _of_tenant(attempt.c.tenant_id),
        attempt.c.error_class == _REJECTED,
    )
    .distinct()
)
