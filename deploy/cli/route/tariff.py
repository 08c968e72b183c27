"""What each tier costs at the provider that is asked first."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from shared.costs.price import TokenCount
from shared.costs.prices import Prices
from shared.messages.turn_report import Tier
from shared.settings import Settings
from workers.providers.provider import ModelChoice


class TierTariff:
    """Prices a message on either tier of the first provider of the chain that has two models.

    `models` is None where no provider has; every cost is unknown then.
    """

    def __init__(self, settings: Settings, *, at: datetime) -> None:
        self._prices = Prices(settings.costs.prices, settings.providers)
        self._at = at
        self.provider: str | None = None
        self.models: dict[Tier, str] | None = None
        for provider in settings.providers:
            choice = ModelChoice.of(provider)
            if provider.named_models and choice.has_tiers:
                self.provider = provider.name
                self.models = {tier: choice.model_for(tier) for tier in Tier}
                break

    def cost(self, tier: Tier, tokens: TokenCount) -> Decimal | None:
        """Dollars; None where the price is unknown."""
        if self.provider is None or self.models is None:
            return None
        return self._prices.cost(self.provider, self.models[tier], tokens, at=self._at)

    @property
    def unpriced(self) -> list[str]:
        """The models without a known price."""
        tokens = TokenCount(1, 1)
        models = self.models or {}
        return [model for tier, model in models.items() if self.cost(tier, tokens) is None]
