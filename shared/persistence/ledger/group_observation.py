"""Tells the metrics of every group that the ledger was given: how many shared it, how long it took.

Once for a group, so that it costs a message of a crowd next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from time import perf_counter
from typing import Generic

from shared.resilience.group_commit import Flush, Item, Outcome
from shared.telemetry.metrics import Metrics


class LedgerOperation(StrEnum):
    """What a group is for, as the metrics name it."""

    ACCEPT = "accept"
    CLAIM = "claim"
    SETTLE = "settle"


class ObservedFlush(Generic[Item, Outcome]):
    """A flush like the one it is given, observed; a group that failed counts too."""

    def __init__(
        self, flush: Flush[Item, Outcome], metrics: Metrics, operation: LedgerOperation
    ) -> None:
        self._flush = flush
        self._messages = metrics.ledger_group_messages.labels(operation)
        self._seconds = metrics.ledger_group_duration_seconds.labels(operation)

    async def __call__(self, items: list[Item]) -> Sequence[Outcome | BaseException]:
        """What the flush says, or raises."""
        began = perf_counter()
        try:
            return await self._flush(items)
        finally:
            self._messages.observe(len(items))
            self._seconds.observe(perf_counter() - began)
