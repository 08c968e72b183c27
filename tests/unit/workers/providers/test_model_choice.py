"""A name that is served stays; a tier becomes the provider's model of it."""

from __future__ import annotations

import pytest

from shared.settings.providers import ProviderKind, ProviderSettings
from workers.providers.provider import ModelChoice

TWO = ModelChoice(default="mid", served=("mid", "old"), small="mini", large="max")


@pytest.mark.parametrize(
    ("requested", "called"),
    [
        ("small", "mini"),
        ("large", "max"),
        ("auto", "mid"),
        ("old", "old"),
        ("nobody-knows", "mid"),
    ],
)
def test_a_provider_with_two_models(requested: str, called: str) -> None:
    assert TWO.has_tiers
    assert TWO.model_for(requested) == called


@pytest.mark.parametrize("requested", ["small", "large", "auto"])
def test_a_provider_with_one_model_answers_every_tier_with_it(requested: str) -> None:
    one = ModelChoice(default="only")
    assert not one.has_tiers
    assert one.model_for(requested) == "only"


def test_what_is_not_set_falls_back_to_the_default() -> None:
    half = ModelChoice(default="mid", small="mini")
    assert half.has_tiers
    assert (half.model_for("small"), half.model_for("large")) == ("mini", "mid")


def test_without_a_default_the_large_model_is_it() -> None:
    assert ModelChoice(small="mini", large="max").model_for("auto") == "max"
    assert ModelChoice(small="mini").model_for("auto") == "mini"


def test_a_model_that_is_called_like_a_tier_is_itself() -> None:
    assert ModelChoice(default="x", served=("small",), small="mini").model_for("small") == "small"


def test_settings_name_each_model_once_and_all_may_be_asked_for() -> None:
    settings = ProviderSettings(
        name="a",
        kind=ProviderKind.OPENAI_COMPATIBLE,
        model="mid",
        models=("mid", "old"),
        small_model="mini",
        large_model="mid",
    )
    assert settings.named_models == ("mid", "old", "mini")
    choice = ModelChoice.of(settings)
    assert [choice.model_for(name) for name in ("mini", "large", "old")] == ["mini", "mid", "old"]
