"""Which answers of a time are judged: all that are suspicious, and some of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from itertools import chain, zip_longest
from math import ceil
from random import Random
from typing import Any, Final, NamedTuple

from sqlalchemy import Integer, Row, Select, String, bindparam, or_, select

from shared.feedback.tables import feedback, is_said_by_person
from shared.feedback.verdict import ABUSE
from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import OF_TRAFFIC, REMEMBERED, attempt, handoff, message

_PAGE: Final = 1_000
_MOST_SPOKEN_OF: Final = 10_000
_REJECTED: Final = "rejected"


class GivenAnswer(NamedTuple):
    """An answer, and whose it is. `is_drawn` says that it is one of a sample of all, whether or not
    it is suspicious as well."""

    tenant_id: str
    response_id: str
    is_drawn: bool = False


class AnswerSample:
    """Of answers that were given from `since` until `until`, and what was said in that time of any.

    One walk along the ledger serves all tenants. The same time and dice choose the same, for as
    long as nothing is erased. Nothing that an evaluation asked is in it. Raises LedgerUnavailable.
    """

    def __init__(
        self,
        database: Database,
        *,
        since: datetime,
        until: datetime,
        tenant_ids: Sequence[str] = (),
    ) -> None:
        """Without `tenant_ids` of all tenants."""
        self._database = database
        self._within = {"since": since, "until": until}
        self._answers, self._spoken_of = _ANSWERS, _SPOKEN_OF
        if tenant_ids:
            self._answers = _ANSWERS.where(message.c.tenant_id.in_(tenant_ids))
            self._spoken_of = _SPOKEN_OF.where(feedback.c.tenant_id.in_(tenant_ids))
        ids = self._ids = IdList(database.relaxed.dialect)
        self._handed_off = select(handoff.c.message_id).where(ids.holds(handoff.c.message_id))
        self._caught = select(attempt.c.message_id).where(
            ids.holds(attempt.c.message_id), attempt.c.error_class == _REJECTED
        )
        self._mended = select(message.c.id).where(
            ids.holds(message.c.id), message.c.report.like('%"caught":%')
        )

    async def chosen(self, *, share: float, most: int, dice: Random) -> list[GivenAnswer]:
        """All that people spoke badly of, that a human gave, or in which the guardrail caught
        something, mended or asked anew; then of each tenant that share of all, `most` at the most,
        each as likely as any other. Tenants take turns, so that none keeps the others waiting.
        """
        suspicious = dict[str, list[GivenAnswer]]()
        for each in await self._spoken_badly_of():
            suspicious.setdefault(each.tenant_id, []).append(each)
        reservoirs = dict[str, _Reservoir]()
        async for page in self._pages():
            marked = await self._marked([each.response_id for each in page])
            for each in page:
                if each.response_id in marked:
                    suspicious.setdefault(each.tenant_id, []).append(each)
                if each.tenant_id not in reservoirs:
                    reservoirs[each.tenant_id] = _Reservoir(most, dice)
                reservoirs[each.tenant_id].add(each)
        others = [each.drawn(share) for _, each in sorted(reservoirs.items())]
        first = _by_turns(found for _, found in sorted(suspicious.items()))
        drawn = {each.response_id for some in others for each in some}
        found = dict.fromkeys([*first, *_by_turns(others)])
        return [each._replace(is_drawn=each.response_id in drawn) for each in found]

    async def _spoken_badly_of(self) -> list[GivenAnswer]:
        async with reading(self._database.relaxed) as connection:
            rows = await connection.execute(self._spoken_of, self._within)
            return [*map(_given, rows)]

    async def _pages(self) -> AsyncIterator[list[GivenAnswer]]:
        after = {"at": self._within["since"], "id": ""}
        while True:
            async with reading(self._database.relaxed) as connection:
                rows = (await connection.execute(self._answers, self._within | after)).all()
            if rows:
                yield [*map(_given, rows)]
            if len(rows) < _PAGE:
                return
            after = {"at": rows[-1].finished_at, "id": rows[-1].response_id}

    async def _marked(self, ids: Sequence[str]) -> set[str]:
        named = self._ids.parameters(ids)
        async with reading(self._database.relaxed) as connection:
            handed_off = (await connection.execute(self._handed_off, named)).scalars().all()
            caught = (await connection.execute(self._caught, named)).scalars().all()
            mended = (await connection.execute(self._mended, named)).scalars().all()
        return {*handed_off, *caught, *mended}


class _Reservoir:
    """So many of all that come, each as likely as any other (Vitter's algorithm R)."""

    def __init__(self, size: int, dice: Random) -> None:
        self._size = size
        self._dice = dice
        self._kept: list[GivenAnswer] = []
        self._seen = 0

    def add(self, one: GivenAnswer) -> None:
        """One more has come."""
        self._seen += 1
        if len(self._kept) < self._size:
            self._kept.append(one)
        elif (place := self._dice.randrange(self._seen)) < self._size:
            self._kept[place] = one

    def drawn(self, share: float) -> list[GivenAnswer]:
        """That share of all that came, as far as they are kept, in an order by chance."""
        return self._dice.sample(self._kept, min(len(self._kept), ceil(share * self._seen)))


def _by_turns(each_tenants: Iterable[Sequence[GivenAnswer]]) -> list[GivenAnswer]:
    turns = chain.from_iterable(zip_longest(*each_tenants))
    return [each for each in turns if each is not None]


def _given(row: Row[Any]) -> GivenAnswer:
    return GivenAnswer(row.tenant_id, row.response_id)


def _time(name: str) -> Any:
    return bindparam(name, type_=UtcDateTime)


_ANSWERS: Final[Select[Any]] = (
    select(message.c.tenant_id, message.c.id.label("response_id"), message.c.finished_at)
    .where(
        message.c.finished_at >= _time("at"),
        message.c.finished_at < _time("until"),
        or_(message.c.finished_at > _time("at"), message.c.id > bindparam("id", type_=String)),
        message.c.state == ResponseState.COMPLETED,
        REMEMBERED,
        OF_TRAFFIC,
    )
    .order_by(message.c.finished_at, message.c.id)
    .limit(bindparam("most", _PAGE, type_=Integer))
)
_SPOKEN_OF: Final[Select[Any]] = (
    select(feedback.c.tenant_id, feedback.c.response_id)
    .where(
        feedback.c.given_at >= _time("since"),
        feedback.c.given_at < _time("until"),
        feedback.c.is_negative,
        feedback.c.name != ABUSE,
        is_said_by_person(feedback.c.source),
    )
    .order_by(feedback.c.given_at, feedback.c.id)
    .limit(bindparam("most", _MOST_SPOKEN_OF, type_=Integer))
)
