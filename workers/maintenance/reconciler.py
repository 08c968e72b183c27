"""The reconciler: no accepted message waits for a wake-up that will not come."""

from __future__ import annotations

from collections import Counter

from shared.messages.dead_letter import DeadReason
from shared.persistence.ledger.sweeping import LedgerSweeps
from shared.queueing.publisher import Publisher
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.steps.reply import Reply


class Reconciler:
    """Takes messages back from silent workers and publishes what nobody claimed in time.

    A broker or Redis that lost everything is refilled from here.
    """

    def __init__(
        self, sweeps: LedgerSweeps, publisher: Publisher, reply: Reply, metrics: Metrics
    ) -> None:
        self._sweeps = sweeps
        self._publisher = publisher
        self._reply = reply
        self._metrics = metrics
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        """One round; raises Unavailable, and what was taken then is due again later."""
        again, poison = await self._sweeps.expire_leases()
        if again or poison:
            self._metrics.lease_expiries.inc(len(again) + len(poison))
            self._log.warning("leases_expired", queued_again=len(again), dead=len(poison))
        for record in poison:
            self._metrics.dead_letters.labels(DeadReason.ATTEMPTS_EXHAUSTED).inc()
            await self._reply.tell(record)
        due = await self._sweeps.take_due()
        if not due:
            return
        await self._publisher.publish(due)
        for lane, count in Counter(wake_up.lane for wake_up in due).items():
            self._metrics.reconciled_messages.labels(lane).inc(count)
        self._log.info("published_again", messages=len(due))
