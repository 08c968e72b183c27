"""What a file of messages would have cost under each policy, and where `auto` would be wrong."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from deploy.cli.route.messages import ReplayedMessage
from deploy.cli.route.tariff import TierTariff
from shared.costs.price import TokenCount
from shared.costs.prices import total_cost
from shared.messages.turn_report import Tier
from workers.routing.model_router import ModelRouter
from workers.routing.question import question_of

ALL_SMALL: Final = "all small"
ALL_LARGE: Final = "all large"


class Outcome(msgspec.Struct, kw_only=True):
    """One policy over all messages. Dollars are null where a price is unknown."""

    policy: str
    large_from: float | None = None
    small: int = 0
    large: int = 0
    dollars: Decimal | None = Decimal(0)
    saved: float | None = None
    """The share of what all large costs that it saves."""
    hard_to_small: int = 0
    easy_to_large: int = 0


class Replay:
    """Adds up one message after the other."""

    def __init__(
        self,
        router: ModelRouter,
        tariff: TierTariff,
        *,
        thresholds: Sequence[float],
        output_tokens: int,
    ) -> None:
        self._router = router
        self._tariff = tariff
        self._output_tokens = output_tokens
        self._fixed = {
            Tier.SMALL: Outcome(policy=ALL_SMALL),
            Tier.LARGE: Outcome(policy=ALL_LARGE),
        }
        self._auto = [
            Outcome(policy=f"auto from {threshold:g}", large_from=threshold)
            for threshold in thresholds
        ]
        self.messages = self.hard = self.easy = self.estimated = 0

    def add(self, message: ReplayedMessage) -> None:
        """Count one message under every policy."""
        self.messages += 1
        self.hard += message.hard is True
        self.easy += message.hard is False
        self.estimated += message.output_tokens is None
        tokens = self._tokens(message)
        costs = {tier: self._tariff.cost(tier, tokens) for tier in Tier}
        score = self._router.score(question_of(message.body, message.body.input)).value
        for tier, outcome in self._fixed.items():
            _count(outcome, tier, costs[tier], hard=message.hard)
        for outcome in self._auto:
            tier = Tier.LARGE if score >= (outcome.large_from or 0.0) else Tier.SMALL
            _count(outcome, tier, costs[tier], hard=message.hard)

    def outcomes(self) -> list[Outcome]:
        """Every policy, with what it saves against the large model for all."""
        outcomes = [*self._fixed.values(), *self._auto]
        dearest = self._fixed[Tier.LARGE].dollars
        for outcome in outcomes:
            if dearest and outcome.dollars is not None:
                outcome.saved = float(1 - outcome.dollars / dearest)
        return outcomes

    def _tokens(self, message: ReplayedMessage) -> TokenCount:
        written = message.output_tokens
        if written is None:
            limit = message.body.max_output_tokens or self._output_tokens
            written = min(self._output_tokens, limit)
        return TokenCount(message.input_tokens, written)


def _count(outcome: Outcome, tier: Tier, cost: Decimal | None, *, hard: bool | None) -> None:
    if tier is Tier.SMALL:
        outcome.small += 1
        outcome.hard_to_small += hard is True
    else:
        outcome.large += 1
        outcome.easy_to_large += hard is False
    outcome.dollars = total_cost((outcome.dollars, cost))
