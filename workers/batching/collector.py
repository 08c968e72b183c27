"""The collector: ends batches whose lines have all ended, and writes what they came to."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from shared.batches.batch import Batch
from shared.batches.batch_budget import BatchBudget
from shared.batches.items import BatchItems
from shared.batches.state import BatchState, ItemOutcome
from shared.batches.work import BatchWork
from shared.clock import Clock
from shared.costs.till import SET_ASIDE_SECONDS
from shared.erasing.cancelling import GroupCancelling
from shared.errors import Unavailable
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.batching.batch_turns import BatchTurns
from workers.batching.result_files import ResultFiles

_CANCELLED_AT_ONCE: Final = 1_000
_PAUSE_SECONDS: Final = 0.02
"""Between two groups that are cancelled: others want the ledger too."""
_ROUND_SECONDS: Final = 10.0
_BUDGET_SECONDS: Final = 5.0
"""Between two looks at what a batch sets aside: its lines are counted for each."""
_BUDGET_PAUSE: Final = 20.0
_LONGEST_PAUSE_SECONDS: Final = SET_ASIDE_SECONDS / 3
"""Where counting takes long, the pause behind it is so many times as long, and this at most: what
is set aside does not run out meanwhile."""
_LATE: Final = timedelta(seconds=60)
"""How long after its time a line may take to end by itself."""


class Collector:
    """Looks after each open batch in a round.

    Its end is one commit with its files, its counts and its state, written once: whoever comes
    second, or late, changes nothing. Raises Unavailable.
    """

    def __init__(
        self,
        work: BatchWork,
        items: BatchItems,
        files: ResultFiles,
        cancelling: GroupCancelling,
        budget: BatchBudget,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._work = work
        self._items = items
        self._files = files
        self._cancelling = cancelling
        self._budget = budget
        self._metrics = metrics
        self._clock = clock
        self._log = get_logger(__name__)
        self._waiting_from: dict[str, int] = {}
        """Up to which line all of a batch had ended when it was looked at."""
        self._kept_until: dict[str, float] = {}
        self._seen = set[str]()
        """Batches that were there since the oldest was looked at."""
        self._turns = BatchTurns(work, clock)

    async def __call__(self) -> None:
        """A look at each, and another while one of them may go further."""
        until = self._clock.monotonic() + _ROUND_SECONDS
        while await self._round(until) and self._clock.monotonic() < until:
            pass

    async def _round(self, until: float) -> bool:
        is_more = await self._turns.round(self._tried, until=until)
        if self._turns.is_through:
            seen, self._seen = self._seen, set()
            self._waiting_from = {key: at for key, at in self._waiting_from.items() if key in seen}
            self._kept_until = {key: at for key, at in self._kept_until.items() if key in seen}
        return is_more

    async def _tried(self, of: Batch) -> bool:
        """A fault in one costs the others nothing."""
        self._seen.add(of.id)
        try:
            return await self.step(of)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - the border of one batch: the others go on
            self._log.exception("batch_not_collected", batch=of.id)
            return False

    async def step(self, of: Batch) -> bool:
        """Take it as far as it goes now; whether its next look may take it further."""
        await self._keep_budget(of)
        if of.state is BatchState.VALIDATING:
            return False
        if self._is_to_end(of):
            await self._cancel(of)
        if of.is_uncounted or (of.expanded_at is None and of.total is not None):
            return False
        if await self._waits(of):
            return False
        if of.state is BatchState.IN_PROGRESS:
            # Its state may be another one by now: the next look knows it.
            return await self._work.move(of, BatchState.FINALIZING)
        await self._end(of)
        return False

    async def _keep_budget(self, of: Batch) -> None:
        began = self._clock.monotonic()
        if of.set_aside_each is None or began < self._kept_until.get(of.id, 0.0):
            return
        await self._budget.keep(of)
        now = self._clock.monotonic()
        pause = max(_BUDGET_SECONDS, _BUDGET_PAUSE * (now - began))
        self._kept_until[of.id] = now + min(pause, _LONGEST_PAUSE_SECONDS)

    def _is_to_end(self, of: Batch) -> bool:
        """Whether what has not ended of it is not wanted any more."""
        is_late = self._clock.now() > of.expires_at + _LATE
        return of.state is BatchState.CANCELLING or is_late

    async def _cancel(self, of: Batch) -> None:
        unended = await self._items.unended(of, after_line=self._waiting_from.get(of.id, 1) - 1)
        for first in range(0, len(unended), _CANCELLED_AT_ONCE):
            some = unended[first : first + _CANCELLED_AT_ONCE]
            await self._cancelling.cancel(some, were_admitted=False)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _waits(self, of: Batch) -> bool:
        line = self._waiting_from.get(of.id, 1)
        found = await self._items.waiting(of, after_line=line - 1, limit=1)
        if found:
            self._waiting_from[of.id] = found[0].line
        return bool(found)

    async def _end(self, of: Batch) -> None:
        counts, usage = await self._items.counts(of), await self._items.usage(of)
        target = BatchState.EXPIRED if counts.expired else BatchState.COMPLETED
        if of.state is BatchState.CANCELLING:
            target = BatchState.CANCELLED
        if not await self._files.end(of, target, counts, usage):
            return
        if of.set_aside_each is not None:
            await self._budget.release(of.tenant_id, of.id)
        self._waiting_from.pop(of.id, None)
        self._kept_until.pop(of.id, None)
        self._metrics.batches.labels(target).inc()
        for outcome in ItemOutcome:
            if outcome is not ItemOutcome.WAITING:
                self._metrics.batch_lines.labels(outcome).inc(getattr(counts, outcome))
        self._log.info("batch_ended", batch=of.id, state=str(target), lines=counts.total)
