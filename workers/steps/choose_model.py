"""Choose model: `auto` becomes the small one or the large one."""

from __future__ import annotations

from typing import Final

from shared.messages.turn_report import RoutingReport, Tier
from shared.telemetry.metrics import Metrics
from workers.providers.provider import AUTOMATIC_MODEL
from workers.routing.model_router import ModelRouter
from workers.routing.question import question_of
from workers.turn import Turn

_NAMED: Final = "the caller named it"
_VARIED: Final = "the variant has it"
_TIERS: Final = frozenset(Tier)


class ChooseModel:
    """Sets the tier of a message that names no model, and says why on the response.

    A model that the caller named is never another one afterwards.
    """

    name = "choose_model"

    def __init__(self, router: ModelRouter, metrics: Metrics) -> None:
        self._router = router
        self._metrics = metrics

    async def __call__(self, turn: Turn) -> None:
        asked = turn.body.model or AUTOMATIC_MODEL
        if turn.model in _TIERS:
            self._tell(turn, RoutingReport(Tier(turn.model), _VARIED))
        elif turn.model is not None:
            return
        elif asked in _TIERS:
            self._tell(turn, RoutingReport(Tier(asked), _NAMED))
        elif asked == AUTOMATIC_MODEL:
            question = question_of(turn.body, turn.items)
            large_from = None if turn.variant is None else turn.variant.large_from
            chosen = self._router.route(
                question, tenant=turn.record.tenant_id, large_from=large_from
            )
            turn.model = chosen.tier
            self._tell(turn, chosen)

    def _tell(self, turn: Turn, chosen: RoutingReport) -> None:
        turn.tell(routing=chosen)
        self._metrics.routed_messages.labels(chosen.tier).inc()
        if chosen.score is not None:
            self._metrics.routing_score.observe(chosen.score)
