"""Is there a price for every model? One that has none answers all the same."""

from __future__ import annotations

from deploy.cli.check.finding import CheckFinding, hint
from shared.clock import SystemClock
from shared.settings import Settings


def check_prices(settings: Settings) -> list[CheckFinding]:
    """A hint for each model whose cost nobody could know."""
    from shared.costs.prices import Prices

    prices = Prices(settings.costs.prices, settings.providers)
    return [
        hint(
            "providers",
            f"'{provider}' has no known price for its model '{model}': what it costs stays unknown "
            "and no budget sees it. List it under [[costs.prices]] in forebay.toml.",
        )
        for provider, model in prices.unknown_models(at=SystemClock().now())
    ]
