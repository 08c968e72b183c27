"""What a batch and the other tiers of a provider cost, by the list and by prices of our own."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from shared.costs.price import ServedTier, TokenCount
from shared.costs.prices import Prices
from shared.settings.costs import PriceSettings
from shared.settings.providers import ProviderKind, ProviderSettings

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEFORE = datetime(2026, 9, 1, 12, tzinfo=UTC)
"""The list has prices of batches from October 2026 on."""
MILLION_EACH = TokenCount(1_000_000, 1_000_000)
OPENAI = ProviderSettings(
    name="big",
    kind=ProviderKind.OPENAI_COMPATIBLE,
    base_url="https://api.openai.com/v1",
    model="gpt-5",
)
ANTHROPIC = ProviderSettings(
    name="claude",
    kind=ProviderKind.ANTHROPIC,
    base_url="https://api.anthropic.com",
    model="claude-haiku-4-5",
)


def dollars(
    provider: ProviderSettings, tier: ServedTier, *table: PriceSettings, at: datetime = NOW
) -> Decimal:
    assert provider.model is not None
    prices = Prices(table, [provider])
    cost = prices.cost(provider.name, provider.model, replace(MILLION_EACH, tier=tier), at=at)
    assert cost is not None
    return cost


@pytest.mark.parametrize(
    ("provider", "tier", "share"),
    [
        (OPENAI, ServedTier.BATCH, "0.5"),
        (OPENAI, ServedTier.FLEX, "0.5"),
        (OPENAI, ServedTier.PRIORITY, "2"),
        (ANTHROPIC, ServedTier.BATCH, "0.5"),
        # It has no such tier: what it is said to cost is never less than what it may.
        (ANTHROPIC, ServedTier.FLEX, "1"),
    ],
)
def test_a_listed_tier_costs_what_the_list_says(
    provider: ProviderSettings, tier: ServedTier, share: str
) -> None:
    """A word that the list does not know is silently the full price, and this fails."""
    full = dollars(provider, ServedTier.STANDARD)
    assert full > 0
    assert dollars(provider, tier) == full * Decimal(share)
    assert dollars(provider, ServedTier.STANDARD) == full


def test_the_price_of_a_batch_is_of_its_day() -> None:
    assert dollars(OPENAI, ServedTier.BATCH, at=BEFORE) == dollars(
        OPENAI, ServedTier.STANDARD, at=BEFORE
    )


@pytest.mark.parametrize(
    ("tier", "cost"),
    [
        (ServedTier.STANDARD, "3"),
        (ServedTier.PRIORITY, "3"),
        (ServedTier.BATCH, "1.5"),
        (ServedTier.FLEX, "1.8"),
    ],
)
def test_own_prices_name_their_share(tier: ServedTier, cost: str) -> None:
    own = PriceSettings(
        model="gpt-5",
        input_per_million=Decimal(1),
        output_per_million=Decimal(2),
        batch_share=Decimal("0.5"),
        flex_share=Decimal("0.6"),
    )
    assert dollars(OPENAI, tier, own) == Decimal(cost)


def test_own_prices_without_a_share_are_the_full_ones() -> None:
    own = PriceSettings(model="gpt-5", input_per_million=Decimal(1), output_per_million=Decimal(2))
    assert dollars(OPENAI, ServedTier.BATCH, own) == 3


def test_a_share_is_a_part() -> None:
    own = PriceSettings(model="m", input_per_million=Decimal(1), output_per_million=Decimal(2))
    wrong = replace(own, batch_share=Decimal(50), flex_share=Decimal("NaN"))
    assert [*wrong.faults()] == [
        "costs.prices: 'm' has batch_share = 50. Set a part, 0 to 1.",
        "costs.prices: 'm' has flex_share = NaN. Set a part, 0 to 1.",
    ]
    assert not [*own.faults()]
