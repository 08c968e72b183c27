"""What settlements have to leave, without a database, and random ones to hold one to it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal

from shared.clock import ManualClock
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from shared.persistence.ledger.records import AttemptRecord, Settlement

ENDS = (
    ResponseState.COMPLETED,
    ResponseState.INCOMPLETE,
    ResponseState.FAILED,
    ResponseState.REQUIRES_ACTION,
)


class SettlementModel:
    """What the ledger has to have after each group: the rule without a database."""

    def __init__(self, claimed: Mapping[str, int | None]) -> None:
        self.held = dict(claimed)
        """Under which attempt each message is in progress; None where it is not."""
        self.ends: dict[str, Settlement] = {}
        self.attempts: set[tuple[str, int, int]] = set()

    def write(self, item: Settlement) -> bool:
        """What the ledger has to say of it."""
        self.attempts |= {
            (item.message_id, item.attempt, n) for n, _ in enumerate(item.attempts, start=1)
        }
        if self.held[item.message_id] == item.attempt:
            self.held[item.message_id] = None
            self.ends[item.message_id] = item
        return self.ends.get(item.message_id) == item


class SettlementDice:
    """Random ends of messages."""

    def __init__(self, seed: int, clock: ManualClock) -> None:
        self.random = random.Random(seed)
        self._clock = clock
        self._given: dict[tuple[str, int], Settlement] = {}

    def settlement(self, message_id: str) -> Settlement:
        """One claim ends once: whoever comes again, since the answer was lost, brings the same."""
        attempt = self.random.choice((1, 1, 1, 2))
        if (message_id, attempt) in self._given:
            return self._given[message_id, attempt]
        state = self.random.choice(ENDS)
        self._clock.advance(0.001)
        settlement = Settlement(
            message_id=message_id,
            tenant_id="ten_1",
            attempt=attempt,
            state=state,
            finished_at=self._clock.now(),
            output_text=self.random.choice((None, "So it is: „ja“ 'or' \\ \"no\".")),
            cost=self.random.choice((None, Decimal("0.000000001"), Decimal("12345.678901234"))),
            attempts=tuple(self._attempt() for _ in range(self.random.choice((0, 1, 1, 3)))),
            user_id=self.random.choice((None, "u1")),
            error_message=self.random.choice((None, "Nobody could answer.")),
            dead_reason=DeadReason.CHAIN_EXHAUSTED if state is ResponseState.FAILED else None,
            handoff_reason="asked" if state is ResponseState.REQUIRES_ACTION else None,
        )
        self._given[message_id, attempt] = settlement
        return settlement

    def _attempt(self) -> AttemptRecord:
        return AttemptRecord(
            provider="primary",
            model="m",
            started_at=self._clock.now(),
            latency_seconds=0.25,
            input_tokens=self.random.choice((None, 7)),
            is_estimated=self.random.random() < 0.5,
            cost=self.random.choice((None, Decimal("0.5"))),
        )
