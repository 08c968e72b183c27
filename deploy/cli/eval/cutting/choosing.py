"""Which messages become cases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Final

import msgspec

from shared.clock import Clock
from shared.errors import InvalidRequest, use_one_of
from shared.feedback.book import FeedbackBook
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.views.message_pages import MessageFilter, MessagePages

_PARTING: Final = "="
_PAGE: Final = 200


class _Field(StrEnum):
    FEEDBACK = "feedback"
    STATE = "state"


class Opinion(StrEnum):
    """What was said of an answer."""

    BAD = "bad"
    GOOD = "good"


class TrafficCondition(msgspec.Struct, frozen=True):
    """A condition: what somebody said of the answer, or how it ended."""

    opinion: Opinion | None = None
    state: ResponseState | None = None

    @classmethod
    def read(cls, text: str) -> TrafficCondition:
        """As it is typed. Raises InvalidRequest with the fix."""
        name, _, value = text.partition(_PARTING)
        kinds = {_Field.FEEDBACK.value: Opinion, _Field.STATE.value: ResponseState}
        kind = kinds.get(name)
        if kind is None:
            raise InvalidRequest(
                f"--where {text}: write feedback=bad, feedback=good or state=STATE.", param="where"
            )
        try:
            meant = kind(value)
        except ValueError as error:
            raise InvalidRequest(
                f"--where {text}: '{value}' is none. {use_one_of(kind)}.", param="where"
            ) from error
        return cls(meant, None) if isinstance(meant, Opinion) else cls(None, ResponseState(meant))


async def chosen(
    where: TrafficCondition, tenant_id: str, *, database: Database, clock: Clock
) -> AsyncIterator[str]:
    """Ids of responses, the newest first, each once. Raises LedgerUnavailable."""
    found = (
        _by_state(where.state, tenant_id, database)
        if where.state is not None
        else _by_opinion(where.opinion, tenant_id, FeedbackBook(database, clock))
    )
    seen: set[str] = set()
    async for response_id in found:
        if response_id not in seen:
            seen.add(response_id)
            yield response_id


async def _by_opinion(
    opinion: Opinion | None, tenant_id: str, book: FeedbackBook
) -> AsyncIterator[str]:
    is_bad, before = opinion is Opinion.BAD, None
    while page := await book.page(tenant_id, negative=is_bad, before=before, limit=_PAGE):
        for each in page:
            if is_bad or not (each.is_negative or each.value is None):
                yield each.response_id
        before = page[-1]


async def _by_state(
    state: ResponseState | None, tenant_id: str, database: Database
) -> AsyncIterator[str]:
    pages, before = MessagePages(database), None
    while True:
        wanted = MessageFilter(tenant_id=tenant_id, state=state)
        page = await pages.page(wanted, before=before, limit=_PAGE)
        for row in page.rows:
            yield row.id
        if page.next is None:
            return
        before = page.next
