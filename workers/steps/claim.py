"""Claim: take the message from the ledger, or find that there is nothing to take."""

from __future__ import annotations

from shared.batches.batch_budget import BatchBudget
from shared.clock import Clock
from shared.costs.purse import Purse
from shared.costs.till import Till
from shared.errors import LedgerUnavailable
from shared.messages.dead_letter import DeadReason
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import LedgerOperation, meter_of
from shared.replies.reply_stream import ReplyStream
from shared.resilience.group_commit import GroupCommit
from shared.telemetry.metrics import Metrics
from workers.dispatch.lanes.urgency import usual_lead_seconds
from workers.turn import Turn, begin_turn


class Claim:
    """Claims of concurrent turns travel in groups.

    A message past its deadline, or one that too many workers have died of, is claimed and ended
    here, so that no provider is called for it.
    """

    name = "claim"

    def __init__(
        self,
        claims: ClaimGroup,
        replies: ReplyStream,
        *,
        attempt_limit: int,
        metrics: Metrics,
        clock: Clock,
        till: Till,
        batches: BatchBudget,
    ) -> None:
        self._claims: GroupCommit[str, MessageRecord | None] = GroupCommit(
            claims.flush, meter=meter_of(LedgerOperation.CLAIM, metrics)
        )
        self._group = claims
        self._replies = replies
        self._attempt_limit = attempt_limit
        self._metrics = metrics
        self._clock = clock
        self._till = till
        self._batches = batches

    async def __call__(self, message_id: str) -> Turn | None:
        """The turn, or None for a wake-up that came twice; raises LedgerUnavailable."""
        record = await self._claims.submit(message_id)
        if record is None:
            self._metrics.claims.labels("nothing_to_claim").inc()
            # A redelivery after the answer: whoever still waits is told to look.
            await self._replies.wake(message_id)
            return None
        turn = begin_turn(record, await self._purse_of(record))
        turn.waits = turn.can_wait and self._may_wait(turn)
        self._end_if_hopeless(turn)
        self._metrics.claims.labels("closed" if turn.settlement else "claimed").inc()
        if record.claimed_at is not None:
            waited = (record.claimed_at - record.accepted_at).total_seconds()
            self._metrics.time_in_queue_seconds.labels(record.lane).observe(max(0.0, waited))
        return turn

    async def has_failed(self, message_id: str) -> bool:
        """Whether what was not there to claim has failed; raises LedgerUnavailable."""
        return await self._group.has_failed(message_id)

    async def _purse_of(self, record: MessageRecord) -> Purse | None:
        """None where the tenant has no cap; where nobody can tell now, the purse asks again."""
        allotment = None
        try:
            if await self._till.cap_of(record.tenant_id) is None:
                return None
            if record.lane is Lane.BATCH:
                allotment = await self._batches.allotment(record.id)
        except LedgerUnavailable:
            pass
        return Purse(
            self._till,
            tenant_id=record.tenant_id,
            message_id=record.id,
            deadline=record.deadline,
            allotment=allotment,
        )

    async def close(self) -> None:
        await self._claims.close()

    def _may_wait(self, turn: Turn) -> bool:
        """Each time it is put back is a claim, and two are left to it: a worker may die of it."""
        record = turn.record
        if turn.is_streamed or record.attempt > self._attempt_limit - 2:
            return False
        window = (record.deadline - record.accepted_at).total_seconds()
        return turn.seconds_left(self._clock.now()) > usual_lead_seconds(window)

    def _end_if_hopeless(self, turn: Turn) -> None:
        now = self._clock.now()
        if turn.seconds_left(now) <= 0:
            reason = DeadReason.DEADLINE_PASSED
            detail = "The deadline passed before a worker was free."
        elif turn.record.attempt > self._attempt_limit:
            reason = DeadReason.ATTEMPTS_EXHAUSTED
            detail = f"{self._attempt_limit} turns in a row did not come to an end."
        else:
            return
        turn.fail(reason, detail, now)
