"""Who indexes a document, and until when we believe it.

One index serves claims from either end of what a tenant has waiting: the time from which a document
may be claimed. It is when it was offered, when a delay ends, or when the lease of its holder does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from sqlalchemy import (
    CTE,
    BigInteger,
    Integer,
    String,
    bindparam,
    func,
    or_,
    select,
    text,
    type_coerce,
    update,
)

from shared.clock import Clock
from shared.index.document import GAVE_UP, Document
from shared.index.documents.holding import HELD, fence
from shared.index.documents.indexing import DocumentIndexing
from shared.index.documents.reading import DocumentKey
from shared.index.documents.rows import IN_COLLECTION, IS, document_of, key
from shared.index.states import DocumentState
from shared.index.tables import WAITING, document
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import skipping_locked, transaction
from shared.storable_text import storable


class DocumentClaims:
    """Gives each waiting document to one holder at a time; everything raises LedgerUnavailable.

    Claims and leases commit relaxed: one that a crash of the database forgets costs work done
    twice, since the attempt fences all that is written of a document.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        indexing: DocumentIndexing,
        *,
        lease_seconds: float,
        attempt_limit: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._indexing = indexing
        self._lease = timedelta(seconds=lease_seconds)
        self._attempt_limit = attempt_limit
        self._calls = count()
        self._ids = IdList(database.relaxed.dialect)
        self._renew = _RENEW.where(self._ids.holds(document.c.id))

    async def claim(
        self, worker: str, *, tenant_id: str, limit: int, limit_bytes: int
    ) -> list[Document]:
        """Documents of a tenant that wait, or whose holder fell silent, for a lease: up to `limit`
        of them and `limit_bytes` together, but one at least where one waits.

        Half of them are those that wait longest, half the newest: a job of many documents delays
        no other of its tenant for long, and is never stopped by what comes after it. One that was
        claimed `attempt_limit` times and never finished fails and is not given out, and others are
        looked for.
        """
        while claimed := await self._take(worker, tenant_id, limit, limit_bytes):
            if given := [each for each in claimed if not await self._gave_up(each)]:
                return given
        return []

    async def _take(
        self, worker: str, tenant_id: str, limit: int, limit_bytes: int
    ) -> list[Document]:
        now = self._clock.now()
        values = {"now": now, "tenant": tenant_id}
        values |= {"b_worker": worker, "b_until": now + self._lease}
        ends = (_CLAIM_NEWEST, _CLAIM_OLDEST) if next(self._calls) % 2 else _OLDEST_FIRST
        claimed: list[Document] = []
        async with transaction(self._database.relaxed) as connection:
            for statement, part in zip(ends, (2, 1), strict=True):
                room = -(-limit // part) - len(claimed)
                held_bytes = sum(each.size_bytes for each in claimed)
                bounds = {"limit": room, "most": limit_bytes // part - held_bytes}
                bounds["least"] = int(not claimed)
                rows = await connection.execute(statement, values | bounds)
                claimed += map(document_of, rows)
                if not claimed:
                    break
        return claimed

    async def _gave_up(self, claimed: Document) -> bool:
        if claimed.attempt - claimed.excused <= self._attempt_limit:
            return False
        reason = f"Nobody who began to index it came to an end, {self._attempt_limit} times."
        await self._indexing.fail(claimed, GAVE_UP, reason)
        return True

    async def renew(self, documents: Sequence[Document]) -> set[DocumentKey]:
        """Begin the leases of these anew; those that are missing from the answer are lost."""
        until = {"b_until": self._clock.now() + self._lease}
        renewed: set[tuple[str, str, int, int]] = set()
        async with transaction(self._database.relaxed) as connection:
            for (collection_id, worker), some in _by_holder(documents).items():
                of = {"b_collection": collection_id, "b_worker": worker}
                named = self._ids.parameters([each.id for each in some])
                rows = await connection.execute(self._renew, of | until | named)
                renewed |= {(collection_id, *row) for row in rows}
        return {
            (each.collection_id, each.id)
            for each in documents
            if (each.collection_id, each.id, each.ver, each.attempt) in renewed
        }

    async def put_off(self, held: Document, reason: str, *, seconds: float) -> None:
        """Let it wait, since what it needs is away: it is not tried before, and it does not count
        that it was.
        """
        await self._let_go([held], self._clock.now() + timedelta(seconds=seconds), reason)

    async def give_back(self, documents: Sequence[Document]) -> None:
        """Let go of them at once, those too that were taken away meanwhile: nothing more is
        written of them by whom they were given to.
        """
        await self._let_go(documents, self._clock.now(), None)

    async def _let_go(
        self, documents: Sequence[Document], due_at: datetime, reason: str | None
    ) -> None:
        if not documents:
            return
        said = {"b_due": due_at, "b_reason": reason and storable(reason)}
        taken = [
            key(each) | {"b_attempt": each.attempt, "b_worker": each.claimed_by, "b_due": due_at}
            for each in documents
        ]
        async with transaction(self._database.relaxed) as connection:
            await connection.execute(_LET_GO, [fence(each) | said for each in documents])
            await connection.execute(_FREE, taken)


def _by_holder(documents: Sequence[Document]) -> dict[tuple[str, str | None], list[Document]]:
    groups: dict[tuple[str, str | None], list[Document]] = defaultdict(list)
    for each in documents:
        groups[each.collection_id, each.claimed_by].append(each)
    return groups


_KEY: Final = (document.c.collection_id, document.c.id)
# Spelt plainly, the state has a planner without statistics read the index of all that waits.
# The attempt is compared in what it gives: a later one of the same holder may be renewed by this.
_RENEW: Final = (
    update(document)
    .where(
        IN_COLLECTION,
        type_coerce(document.c.state, String).concat("") == DocumentState.IN_PROGRESS.value,
        document.c.claimed_by == bindparam("b_worker"),
    )
    .values(due_at=bindparam("b_until"))
    .returning(document.c.id, document.c.ver, document.c.attempt)
)


def _due(*, newest_first: bool) -> CTE:
    """Those from one end, each with the bytes of all up to it."""
    order = document.c.due_at.desc() if newest_first else document.c.due_at.asc()
    due = (
        skipping_locked(
            select(*_KEY, document.c.size_bytes, document.c.due_at)
            .where(
                text(WAITING),
                document.c.tenant_id == bindparam("tenant"),
                document.c.due_at <= bindparam("now"),
            )
            .order_by(order)
            .limit(bindparam("limit", type_=Integer))
        )
        # Looked up once and first: joined as it is, it may be read, and lock, for every row.
        .cte("due")
    )
    order = due.c.due_at.desc() if newest_first else due.c.due_at.asc()
    sized = func.sum(due.c.size_bytes).over(order_by=(order, due.c.collection_id, due.c.id))
    return select(*due.c, sized.label("filled")).cte("sized")


def _claim(due: CTE) -> Any:
    return (
        update(document)
        .where(document.c.collection_id == due.c.collection_id, document.c.id == due.c.id)
        .where(
            or_(
                due.c.filled <= bindparam("most", type_=BigInteger),
                due.c.filled - due.c.size_bytes < bindparam("least", type_=Integer),
            )
        )
        .values(
            state=DocumentState.IN_PROGRESS,
            attempt=document.c.attempt + 1,
            claimed_by=bindparam("b_worker"),
            due_at=bindparam("b_until"),
        )
        .returning(*document.c)
    )


_CLAIM_NEWEST: Final = _claim(_due(newest_first=True))
_CLAIM_OLDEST: Final = _claim(_due(newest_first=False))
_OLDEST_FIRST: Final = (_CLAIM_OLDEST, _CLAIM_NEWEST)
_LET_GO: Final = (
    update(document)
    .where(*HELD)
    .values(
        state=DocumentState.PENDING,
        excused=document.c.excused + 1,
        reason=bindparam("b_reason"),
        claimed_by=None,
        due_at=bindparam("b_due"),
    )
)
# It was offered anew or removed while it was held, and waits for the end of that lease.
_FREE: Final = (
    update(document)
    .where(
        *IS,
        document.c.attempt == bindparam("b_attempt"),
        document.c.claimed_by == bindparam("b_worker"),
        or_(document.c.state == DocumentState.PENDING, document.c.state == DocumentState.REMOVING),
    )
    .values(claimed_by=None, due_at=bindparam("b_due"))
)
