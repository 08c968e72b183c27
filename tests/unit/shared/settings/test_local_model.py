"""A `local` provider needs no more than its name."""

from __future__ import annotations

import pytest

from shared.clock import SystemClock
from shared.costs.price import TokenCount
from shared.costs.prices import Prices
from shared.errors import SettingsError
from shared.settings import load_settings


def test_a_local_provider_asks_the_process_that_the_settings_describe() -> None:
    settings = load_settings(
        {
            "FOREBAY_PROVIDERS": '[{"name": "local", "kind": "local"}]',
            "FOREBAY_LOCAL_MODEL__PORT": "9001",
            "FOREBAY_LOCAL_MODEL__MODEL": "tiny",
        }
    )
    provider = settings.providers[0]
    assert (provider.base_url, provider.model) == ("http://127.0.0.1:9001/v1", "tiny")


def test_what_the_provider_says_itself_goes_first() -> None:
    chain = '[{"name": "l", "kind": "local", "base_url": "http://h:1/v1", "models": ["a", "b"]}]'
    provider = load_settings({"FOREBAY_PROVIDERS": chain}).providers[0]
    assert (provider.base_url, provider.model) == ("http://h:1/v1", None)


def test_its_answers_are_known_to_cost_nothing() -> None:
    settings = load_settings({"FOREBAY_PROVIDERS": '[{"name": "local", "kind": "local"}]'})
    prices = Prices((), settings.providers)
    now = SystemClock().now()
    assert prices.is_free("local")
    assert prices.cost("local", "smollm2-135m-instruct", TokenCount(9, 9), at=now) == 0
    assert prices.unknown_models(at=now) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("SLOTS", "0"), ("CONTEXT_TOKENS", "-1"), ("THREADS", "none")],
)
def test_values_that_cannot_work_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"local_model.{name.lower()} = '{value}'"):
        load_settings({f"FOREBAY_LOCAL_MODEL__{name}": value})
