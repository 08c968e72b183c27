"""Follow up: what the next turn of a conversation will want, made once this one is answered."""

from __future__ import annotations

import asyncio
from typing import Final

from shared.costs.prices import total_cost
from shared.errors import LedgerUnavailable
from shared.messages.state import ResponseState
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord
from shared.telemetry.logs import get_logger
from workers.turn import Turn

_TRIES: Final = 20
_RETRY_SECONDS: Final = 0.5
_WORTH_IT: Final = frozenset({ResponseState.COMPLETED, ResponseState.INCOMPLETE})


class FollowUp:
    """Nobody waits for it. What it cost is booked to the message whose turn caused it.

    A turn that failed is not followed up.
    """

    name = "follow_up"

    def __init__(self, ledger: MessageLedger) -> None:
        self._ledger = ledger
        self._log = get_logger(__name__)

    async def __call__(self, turn: Turn) -> None:
        settlement, follow_up = turn.settlement, turn.follow_up
        if follow_up is None or settlement is None or settlement.state not in _WORTH_IT:
            return
        # Others may wait for what the turn holds, such as an equal message for its answer.
        await turn.let_go()
        attempts: list[AttemptRecord] = []
        try:
            await follow_up(attempts.extend)
        finally:
            if attempts:
                await self._book(turn, attempts, first_ordinal=len(settlement.attempts) + 1)

    async def _book(self, turn: Turn, attempts: list[AttemptRecord], *, first_ordinal: int) -> None:
        for _ in range(_TRIES):
            try:
                await self._ledger.book_late(
                    turn.record,
                    attempts,
                    first_ordinal=first_ordinal,
                    variant=turn.variant_name,
                )
            except LedgerUnavailable:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return
        cost = total_cost(attempt.cost for attempt in attempts)
        self._log.error("follow_up_not_booked", calls=len(attempts), cost=str(cost))
