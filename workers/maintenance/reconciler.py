"""The reconciler: no accepted message waits for a wake-up that will not come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.clock import Clock
from shared.errors import BrokerUnavailable
from shared.messages.dead_letter import DeadReason
from shared.persistence.ledger.sweeping import DueMessage, LedgerSweeps
from shared.queueing.publisher import Publisher
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.steps.reply import Reply

_AT_ONCE: Final = 500
_ROUNDS_AT_ONCE: Final = 100
"""A round ends after so many groups: leases must not run out meanwhile."""


class Reconciler:
    """Takes messages back from silent workers and publishes what nobody claimed in time.

    A broker or Redis that lost everything is refilled from here. After a broker that was away
    everything is published at once that was accepted meanwhile: what was due, and what would be
    due within `wake_after_seconds`. One process does the rounds; all of them watch the broker, for
    any may do the first round after it is back.
    """

    def __init__(
        self,
        sweeps: LedgerSweeps,
        publisher: Publisher,
        reply: Reply,
        metrics: Metrics,
        clock: Clock,
        *,
        wake_after_seconds: float,
    ) -> None:
        self._sweeps = sweeps
        self._publisher = publisher
        self._reply = reply
        self._metrics = metrics
        self._clock = clock
        self._wake_after = timedelta(seconds=wake_after_seconds)
        self._away_at: datetime | None = None
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        """One round; raises Unavailable, and what was not published then stays due."""
        again, poison = await self._sweeps.expire_leases()
        if again or poison:
            self._metrics.lease_expiries.inc(len(again) + len(poison))
            self._log.warning("leases_expired", queued_again=len(again), dead=len(poison))
        for record in poison:
            self._metrics.dead_letters.labels(DeadReason.ATTEMPTS_EXHAUSTED).inc()
            await self._reply.tell(record)
        await self.watch_broker()
        if self._publisher.healthy:
            await self._publish_due(self._due_by())

    async def watch_broker(self) -> None:
        """Note when the broker was away last."""
        if not self._publisher.healthy:
            self._away_at = self._clock.now()

    def _due_by(self) -> datetime:
        now = self._clock.now()
        # What was accepted during an outage that ended longer ago is due by itself.
        was_away = self._away_at is not None and now - self._away_at <= self._wake_after
        return now + self._wake_after if was_away else now

    async def _publish_due(self, by: datetime) -> None:
        published: Counter[str] = Counter()
        try:
            for _ in range(_ROUNDS_AT_ONCE):
                due = await self._sweeps.due(_AT_ONCE, by=by)
                if due:
                    await self._publish(due)
                    # Only now: a message that was not published must not wait longer for it.
                    await self._sweeps.postpone(due)
                    published.update(each.wake_up.lane for each in due)
                if len(due) < _AT_ONCE:
                    self._away_at = None
                    return
        except BrokerUnavailable:
            self._away_at = self._clock.now()
            raise
        finally:
            self._count(published)

    async def _publish(self, due: Sequence[DueMessage]) -> None:
        await self._publisher.publish([each.wake_up for each in due if not each.wakes])
        # Once more in vain: perhaps those who read this queue know no bundles.
        await self._publisher.publish([each.wake_up for each in due if each.wakes], alone=True)

    def _count(self, published: Counter[str]) -> None:
        for lane, count in published.items():
            self._metrics.reconciled_messages.labels(lane).inc(count)
        if published:
            self._log.info("published_again", messages=published.total())
