"""What a chain tried, in figures and in dollars."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from shared.costs.prices import Prices
from shared.settings.costs import PriceSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.metrics import Metrics
from workers.providers.attempt import Attempt
from workers.providers.outcome import Usage
from workers.steps.meter import Meter

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
USAGE = Usage(input_tokens=1_000, output_tokens=1_000)


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


def attempt(model: str, usage: Usage | None, *, provider: str = "own") -> Attempt:
    return Attempt(
        provider=provider,
        model=model,
        ordinal=1,
        started_at=NOW,
        latency_seconds=1.0,
        usage=usage,
    )


def test_what_is_known_is_counted_in_dollars(meter: Meter, metrics: Metrics) -> None:
    [record] = meter.read([attempt("priced", USAGE)])
    assert record.cost == Decimal("0.003")
    assert b'forebay_cost_total{model="priced",provider="own"} 0.003' in metrics.render()


def test_what_is_unknown_is_none_and_counted(meter: Meter, metrics: Metrics) -> None:
    [record] = meter.read([attempt("other", USAGE)])
    assert record.cost is None
    assert metrics.unknown_costs.labels("own", "other")._value.get() == 1


def test_what_nobody_bills_is_zero_without_tokens(meter: Meter) -> None:
    tried = [attempt("priced", None), attempt("person", None, provider="person")]
    assert [record.cost for record in meter.read(tried)] == [0, 0]


def test_each_token_is_counted_once_by_what_became_of_it(meter: Meter, metrics: Metrics) -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cached_tokens=60,
        cache_write_tokens=15,
        reasoning_tokens=20,
    )
    meter.read([attempt("m", usage)])
    counted = {
        kind: metrics.registry.get_sample_value(
            "forebay_tokens_total", {"provider": "own", "model": "m", "kind": kind}
        )
        for kind in ("input", "cached_input", "cache_write_input", "output", "reasoning_output")
    }
    assert counted == {
        "input": 25,
        "cached_input": 60,
        "cache_write_input": 15,
        "output": 30,
        "reasoning_output": 20,
    }


def test_calls_of_a_deployment_are_counted_as_its_own_too(meter: Meter, metrics: Metrics) -> None:
    cached = Usage(input_tokens=1_000, output_tokens=10, cached_tokens=750)
    (record, _) = meter.read(
        [replace(attempt("priced", cached), deployment="eu"), attempt("priced", USAGE)]
    )
    shown = metrics.render().decode()

    assert record.deployment == "eu"
    for kind, tokens in {"input": 250, "cached_input": 750, "output": 10}.items():
        labels = f'deployment="eu",kind="{kind}",provider="own"'
        assert f"forebay_deployment_tokens_total{{{labels}}} {tokens}.0" in shown
    assert shown.count("forebay_deployment_attempts_total{") == 1
