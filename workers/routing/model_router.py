"""The model router: small or large, for whom, and why."""

from __future__ import annotations

from typing import Final

from shared.messages.turn_report import RoutingReport, Tier
from shared.settings.turn.routing import RoutingSettings, TenantRouting
from workers.routing.complexity.score import Complexity, Score
from workers.routing.question import RoutedQuestion

_USUAL: Final = TenantRouting()


class ModelRouter:
    """Chooses a tier by what a message looks like; asks nobody and cannot fail."""

    def __init__(self, settings: RoutingSettings) -> None:
        self._settings = settings
        self._complexity = Complexity(settings)

    def route(
        self, question: RoutedQuestion, *, tenant: str = "", large_from: float | None = None
    ) -> RoutingReport:
        """The tier of a message that names no model; `large_from` goes before the thresholds.

        Reasons quote nothing of it.
        """
        override = self._settings.tenants.get(tenant, _USUAL)
        if override.tier is not None:
            return RoutingReport(Tier(override.tier), "the tenant is pinned to it")
        threshold = self.threshold(tenant) if large_from is None else large_from
        score = self.score(question)
        tier = Tier.LARGE if score.value >= threshold else Tier.SMALL
        return RoutingReport(tier, reason(score, threshold), score.value)

    def score(self, question: RoutedQuestion) -> Score:
        """How hard the question looks."""
        return self._complexity.score(question)

    def threshold(self, tenant: str = "") -> float:
        """The score from which the tenant's messages get the large model."""
        own = self._settings.tenants.get(tenant, _USUAL).large_from
        return self._settings.large_from if own is None else own


def reason(score: Score, threshold: float) -> str:
    """The comparison that decided, and the signals behind it, strongest first."""
    compared = (
        f"score {score.value:.2f} >= {threshold:.2f}"
        if score.value >= threshold
        else f"score {score.value:.2f} < {threshold:.2f}"
    )
    felt = ", ".join(
        f"{signal.name} {'+' if signal.raises else '-'}{signal.effect:.2f}"
        for signal in score.leading
    )
    return f"{compared}: {felt or 'no sign of difficulty'}"
