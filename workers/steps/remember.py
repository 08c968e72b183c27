"""Remember: write the end of the turn, once, under its fence."""

from __future__ import annotations

import asyncio
from typing import Final

from shared.errors import LedgerUnavailable
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.turn import Turn

_RETRY_SECONDS: Final = 0.5


class Remember:
    """Writes response, attempts and dead letter or handoff in one transaction.

    An answer is paid for by now, so while the ledger is away this tries again for as long as the
    lease may still hold; after that the message goes back to the queue.
    """

    name = "remember"

    def __init__(self, ledger: MessageLedger, *, patience_seconds: float, metrics: Metrics) -> None:
        self._ledger = ledger
        self._tries = max(1, int(patience_seconds / _RETRY_SECONDS))
        self._metrics = metrics
        self._log = get_logger(__name__)

    async def __call__(self, turn: Turn) -> bool:
        """True when the end is on disk; False when the turn had lost its lease.

        Raises LedgerUnavailable.
        """
        settlement = turn.settlement
        if settlement is None:
            raise RuntimeError("no step ended the turn")
        for tries_left in reversed(range(self._tries)):
            try:
                written = await self._ledger.settle(settlement)
            except LedgerUnavailable as error:
                if not tries_left:
                    raise
                self._log.warning("settle_failed", code=error.code, tries_left=tries_left)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if written and settlement.dead_reason is not None:
                    self._metrics.dead_letters.labels(settlement.dead_reason).inc()
                return written
        return False

    async def abandoned(self, turn: Turn) -> None:
        """Book what a turn has called whose end is not written; it was paid for all the same."""
        attempts = turn.attempts
        try:
            if turn.purse is not None:
                await turn.purse.bill()
            if attempts:
                await self._ledger.book_late(
                    turn.record, attempts, first_ordinal=1, variant=turn.variant_name
                )
        except LedgerUnavailable as error:
            self._log.warning("abandoned_calls_not_booked", code=error.code, calls=len(attempts))
