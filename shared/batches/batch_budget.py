"""What a batch sets aside of its tenant's daily budget, until its lines pay for their own calls."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from sqlalchemy import and_, bindparam, case, func, or_, select

from shared.batches.batch import Batch, BatchEstimate
from shared.batches.state import BatchState
from shared.batches.tables import batch, batch_item
from shared.clock import Clock
from shared.costs.price import nano_dollars
from shared.costs.till import Allotment, Payment, Till
from shared.identifiers import PROVIDER_BATCH
from shared.messages.state import TERMINAL, ResponseState
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import message

_COMMITTED_WITHIN: Final = timedelta(seconds=30)
_RUNNING: Final = frozenset({BatchState.VALIDATING, BatchState.IN_PROGRESS})
"""States in which lines may still begin."""


class _Lines(NamedTuple):
    """How many messages of a batch have reserved nothing by themselves for certain, and how many
    have not ended."""

    unbegun: int
    unended: int


class BatchBudget:
    """Sets aside at the door what a batch is expected to cost, in the account of its tenant.

    A line that calls somebody takes its part along, and its message reserves, pays and settles as
    any other does. `keep` makes the rest follow the ledger, and anew what Redis has forgotten: a
    batch that nobody keeps any more sets nothing aside after a minute and a half, whoever was
    killed and when. Amounts are billionths of a dollar. Everything raises LedgerUnavailable.
    """

    def __init__(self, database: Database, till: Till, clock: Clock) -> None:
        self._database = database
        self._till = till
        self._clock = clock

    async def reserve(self, tenant_id: str, batch_id: str, amount: int, cap: Decimal) -> bool:
        """Set it aside for a batch that is about to be committed; False where the cap has no room.

        Without Redis it is granted, as calls are.
        """
        deadline = self._clock.now() + _COMMITTED_WITHIN
        payment = Payment(tenant_id, batch_id, amount, deadline)
        return await self._till.reserve(payment, cap) is not None

    async def keep(self, of: Batch) -> None:
        """Let it follow what has become of the batch's lines."""
        if of.set_aside_each is None:
            return
        if of.state not in _RUNNING or await self._till.cap_of(of.tenant_id) is None:
            await self.release(of.tenant_id, of.id)
            return
        lines, each = await self._lines(of), of.set_aside_each
        least, most = each * lines.unbegun, each * lines.unended
        await self._till.set_aside(of.tenant_id, of.id, least=least, most=most)

    async def release(self, tenant_id: str, batch_id: str) -> None:
        """Set nothing aside for it any more; repeats change nothing."""
        await self._till.settle(tenant_id, batch_id, cost=0)

    async def allotment(self, message_id: str) -> Allotment | None:
        """What was set aside for that message; None where no batch did so."""
        async with reading(self._database.relaxed) as connection:
            row = (await connection.execute(_OF_MESSAGE, {"message": message_id})).first()
        return None if row is None else Allotment(row.id, row.set_aside_each)

    async def _lines(self, of: Batch) -> _Lines:
        async with reading(self._database.relaxed) as connection:
            refused = await connection.scalar(_REFUSED, {"batch": of.id}) or 0
            row = (await connection.execute(_MESSAGES, {"batch": of.id})).one()
        unread = 0
        if of.expanded_at is None and of.estimate is not None:
            unread = max(0, of.estimate.messages - row.known - refused)
        return _Lines((row.unbegun or 0) + unread, (row.unended or 0) + unread)


def set_aside_each(estimate: BatchEstimate | None, *, most: int | None = None) -> int | None:
    """What a batch of that estimate sets aside for each of its messages: their calls as single
    ones, and for all of them not more than that. None where it is unknown.
    """
    if estimate is None or estimate.standard_cost is None:
        return None
    amount = nano_dollars(estimate.standard_cost)
    return min(amount, amount if most is None else most) // max(1, estimate.messages)


_OF: Final = batch_item.c.batch_id == bindparam("batch")
_REFUSED: Final = (
    select(func.count()).select_from(batch_item).where(_OF, batch_item.c.message_id.is_(None))
)
_KNOWN: Final = (
    select(batch_item.c.message_id.label("id"))
    .where(_OF, batch_item.c.message_id.is_not(None))
    .distinct()
)
_IDS: Final = _KNOWN.subquery()
_IS_UNENDED: Final = message.c.state.not_in(TERMINAL)
# What a provider's batch holds, or was taken back from it, has reserved nothing of its own: nobody
# has called for it by itself.
_IS_UNBEGUN: Final = or_(
    and_(message.c.state == ResponseState.QUEUED, message.c.attempt == 0),
    and_(_IS_UNENDED, message.c.claimed_by.startswith(f"{PROVIDER_BATCH}_", autoescape=True)),
)
_MESSAGES: Final = select(
    func.count().label("known"),
    func.sum(case((_IS_UNBEGUN, 1), else_=0)).label("unbegun"),
    func.sum(case((_IS_UNENDED, 1), else_=0)).label("unended"),
).select_from(_IDS.outerjoin(message, message.c.id == _IDS.c.id))
_OF_MESSAGE: Final = (
    select(batch.c.id, batch.c.set_aside_each)
    .join(batch_item, batch_item.c.batch_id == batch.c.id)
    .where(batch_item.c.message_id == bindparam("message"), batch.c.set_aside_each.is_not(None))
    .limit(1)
)
