"""Vectors of texts that no document has any more go when nobody asked for them for long."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from enum import Enum, auto
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Integer,
    Row,
    and_,
    bindparam,
    delete,
    or_,
    select,
    update,
)

from shared.clock import Clock
from shared.index.embedding_cache import EVERYBODY, GROUP, OF
from shared.index.tables import chunk, embedding
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import skipping_locked, transaction

_GROUPS: Final = 50
"""Of one call: who leads the rounds must not lose the lead meanwhile."""


class EmbeddingSweeps:
    """Looks at each vector that was not seen for `days`: one that a chunk names stays and is seen,
    one that none names goes when it is looked at again and still none does, and was not found in
    between. So it is kept for `days` at least after its last chunk went, and for about twice that.

    Where an owner has chunks without digests, of a version that kept none, all of his stay.
    May be repeated, by any number of sweepers; raises LedgerUnavailable.
    """

    def __init__(self, database: Database, clock: Clock, *, days: int) -> None:
        self._database = database
        self._clock = clock
        self._kept = timedelta(days=days)
        self._ids = IdList(database.durable.dialect)
        named = self._ids.holds(embedding.c.digest)
        self._delete = delete(embedding).where(*OF, named)
        self._see = _SEE.where(named)

    async def __call__(self) -> None:
        """Look at all that are due, or at a large part of them."""
        for _ in range(_GROUPS):
            if not await self.sweep():
                return

    async def sweep(self, *, limit: int = GROUP) -> int:
        """Look at up to `limit` vectors that were never seen, and at as many of those that were
        not seen for the longest; how many were due.
        """
        bounds = {"before": self._clock.now() - self._kept, "limit": limit}
        async with transaction(self._database.relaxed) as connection:
            due = [*(await connection.execute(_NEVER_SEEN, bounds)).all()]
            due += (await connection.execute(_DUE, bounds)).all()
            for (owner, encoder, fate), digests in _by_fate(due).items():
                of = {"b_owner": owner, "b_encoder": encoder, **self._ids.parameters(digests)}
                if fate is _Fate.GOES:
                    await connection.execute(self._delete, of)
                else:
                    seen = {"now": self._clock.now(), "unnamed": fate is _Fate.UNNAMED}
                    await connection.execute(self._see, of | seen)
        return len(due)


class _Fate(Enum):
    """What becomes of a vector that is looked at."""

    NAMED = auto()
    UNNAMED = auto()
    GOES = auto()


def _by_fate(rows: Sequence[Row[Any]]) -> dict[tuple[str, str, _Fate], list[str]]:
    groups: dict[tuple[str, str, _Fate], list[str]] = defaultdict(list)
    for row in rows:
        unnamed = _Fate.GOES if row.is_unnamed else _Fate.UNNAMED
        fate = _Fate.NAMED if row.is_named else unnamed
        groups[row.owner, row.encoder, fate].append(row.digest)
    return groups


def _is_there(*condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a chunk is so; a planner may make EXISTS a reading of all of them."""
    first = select(chunk.c.point_id).where(*condition).limit(1)
    return first.correlate(embedding).scalar_subquery().is_not(None)


_LIMIT: Final = bindparam("limit", type_=Integer)
_HAS_NO_DIGESTS: Final = chunk.c.text_digest.is_(None)
_IS_NAMED: Final = or_(
    _is_there(chunk.c.text_digest == embedding.c.digest),
    _is_there(chunk.c.code_digest == embedding.c.digest),
    _is_there(_HAS_NO_DIGESTS, chunk.c.tenant_id == embedding.c.owner),
    and_(embedding.c.owner == EVERYBODY, _is_there(_HAS_NO_DIGESTS)),
)
_LOOK: Final = select(
    embedding.c.digest,
    embedding.c.owner,
    embedding.c.encoder,
    embedding.c.is_unnamed,
    _IS_NAMED.label("is_named"),
)
# Who finds one meanwhile sees it; it is left to him.
_NEVER_SEEN: Final = skipping_locked(_LOOK.where(embedding.c.seen_at.is_(None)).limit(_LIMIT))
_DUE: Final = skipping_locked(
    _LOOK.where(embedding.c.seen_at <= bindparam("before"))
    .order_by(embedding.c.seen_at)
    .limit(_LIMIT)
)
_SEE: Final = (
    update(embedding)
    .where(*OF)
    .values(seen_at=bindparam("now"), is_unnamed=bindparam("unnamed", type_=Boolean))
)
