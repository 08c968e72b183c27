from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.costs.meter import Meter, total_cost
from shared.costs.price import TokenCount
from shared.costs.prices import Prices
from shared.settings.costs import PriceSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.metrics import Metrics

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TOKENS = TokenCount(1_000, 1_000)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def meter(metrics: Metrics) -> Meter:
    priced = PriceSettings(
        model="priced", input_per_million=Decimal(1), output_per_million=Decimal(2)
    )
    provider = ProviderSettings(
        name="own",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url="http://10.0.0.7/v1",
        model="priced",
    )
    person = ProviderSettings(name="person", kind=ProviderKind.HANDOFF)
    return Meter(Prices([priced], [provider, person]), metrics)


def test_what_is_known_is_counted_in_dollars(meter: Meter, metrics: Metrics) -> None:
    assert meter.cost("own", "priced", TOKENS, at=NOW) == Decimal("0.003")
    assert b'forebay_cost_total{model="priced",provider="own"} 0.003' in metrics.render()


def test_what_is_unknown_is_none_and_counted(meter: Meter, metrics: Metrics) -> None:
    assert meter.cost("own", "other", TOKENS, at=NOW) is None
    assert metrics.unknown_costs.labels("own", "other")._value.get() == 1


def test_what_nobody_bills_is_zero_without_tokens(meter: Meter) -> None:
    assert meter.cost("own", "priced", None, at=NOW) == 0
    assert meter.cost("person", "person", None, at=NOW) == 0


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert total_cost([Decimal("0.1"), Decimal("0.2")]) == Decimal("0.3")
    assert total_cost([Decimal("0.1"), None]) is None
    assert total_cost([]) == 0
