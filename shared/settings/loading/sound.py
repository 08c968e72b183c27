"""Settings that are each valid and together cannot work."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from shared.settings.costs import PriceSettings
from shared.settings.door import LARGEST_BUDGET, unsound_door
from shared.settings.providers import ProviderKind, ProviderSettings, unsound_headers
from shared.settings.server_faults import (
    BROKER_SCHEMES,
    LEDGER_SCHEMES,
    REDIS_SCHEMES,
    unknown_scheme,
    unsound_address,
)
from shared.settings.settings import Settings
from shared.settings.turn.caching import unsound_caching
from shared.settings.turn.chaos import unsound_chaos
from shared.settings.turn.fact_faults import unsound_facts
from shared.settings.turn.facts import SourceFailure
from shared.settings.turn.routing import unsound_routing
from shared.settings.validation import unsound_validation

_LARGEST_PRICE: Final = 1_000_000
"""Dollars for a million tokens; the ledger has room for what the longest answer costs then."""


def unsound(settings: Settings) -> Iterator[str]:
    """One sentence for each fault, with its fix."""
    yield from _servers(settings)
    yield from unsound_door(settings.ingress)
    yield from _times(settings)
    yield from _chain(settings.providers)
    yield from _hedging(settings)
    yield from unsound_chaos(settings.chaos, _models(settings.providers))
    yield from _prices(settings.costs.prices)
    yield from _budget(settings.limits.daily_budget)
    yield from unsound_validation(settings.validation)
    yield from unsound_routing(settings.routing)
    yield from unsound_caching(settings.caching)
    yield from unsound_facts(settings.facts)
    yield from _handing_off(settings)


def _servers(settings: Settings) -> Iterator[str]:
    broker, redis = settings.broker, settings.redis
    yield from unknown_scheme("broker.url", broker.url, BROKER_SCHEMES)
    yield from unknown_scheme("redis.url", redis.url, REDIS_SCHEMES)
    yield from unknown_scheme("ledger.url", settings.ledger.url, LEDGER_SCHEMES)
    yield from unsound_address("broker", broker.url, broker.tls)
    yield from unsound_address("redis", redis.url, redis.tls)


def _times(settings: Settings) -> Iterator[str]:
    worker, broker = settings.worker, settings.broker
    if worker.soft_time_limit_seconds >= worker.hard_time_limit_seconds:
        yield (
            "worker.soft_time_limit_seconds must be below worker.hard_time_limit_seconds "
            f"({worker.hard_time_limit_seconds:g})."
        )
    if broker.is_redis and broker.visibility_timeout_seconds < 2 * worker.hard_time_limit_seconds:
        yield (
            "broker.visibility_timeout_seconds must be at least twice "
            f"worker.hard_time_limit_seconds: {2 * worker.hard_time_limit_seconds:g} or more, "
            "else Redis gives running messages to a second worker."
        )


def _chain(providers: tuple[ProviderSettings, ...]) -> Iterator[str]:
    names = [provider.name for provider in providers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"providers: two are named '{name}'. Give each its own name."
    for provider in providers:
        yield from _provider(provider)


def _provider(provider: ProviderSettings) -> Iterator[str]:
    is_model = provider.kind.is_model
    if is_model and not (provider.base_url or "").startswith(("http://", "https://")):
        yield f"providers: '{provider.name}' needs base_url, such as https://api.example.com/v1."
    if is_model and not provider.named_models:
        yield f"providers: '{provider.name}' needs model, the name its server knows."
    yield from unsound_headers(provider)
    if provider.kind is ProviderKind.RULES and not provider.rules_file:
        yield f"providers: '{provider.name}' needs rules_file, the path of a TOML file."
    if not is_model and (provider.small_model or provider.large_model):
        yield (
            f"providers: '{provider.name}' has small_model or large_model, and a {provider.kind} "
            "provider has no choice of models. Take them out."
        )


def _models(providers: tuple[ProviderSettings, ...]) -> list[str]:
    return [each.name for each in providers if each.kind.is_model]


def _hedging(settings: Settings) -> Iterator[str]:
    models = _models(settings.providers)
    if settings.hedging.enabled and len(models) < 2:
        yield (
            f"hedging.enabled = true: the chain has {len(models)} models, and a late one needs "
            "another behind it. Add a provider, or leave hedging off."
        )
    remembered = settings.hedging.remembered_samples
    if settings.hedging.minimum_samples > remembered:
        yield (
            f"hedging.minimum_samples = {settings.hedging.minimum_samples} is above "
            f"hedging.remembered_samples ({remembered}): no call would ever be late. Lower it."
        )


def _handing_off(settings: Settings) -> Iterator[str]:
    providers = settings.providers
    if not providers or any(provider.kind.is_human for provider in providers):
        return
    for source in settings.facts.sources:
        if source.on_failure is SourceFailure.HAND_OFF:
            yield (
                f"facts.sources: '{source.name}' has on_failure = 'hand_off', and no provider of "
                "kind handoff is listed. Add one, or choose answer or fail."
            )


def _budget(amount: Decimal | None) -> Iterator[str]:
    if amount is not None and not (amount.is_finite() and 0 <= amount <= LARGEST_BUDGET):
        yield (f"limits.daily_budget = {amount}. Set US dollars for a day, 0 to {LARGEST_BUDGET}.")


_PRICES: Final = (
    "input_per_million",
    "output_per_million",
    "cached_per_million",
    "cache_write_per_million",
    "per_call",
)


def _prices(prices: tuple[PriceSettings, ...]) -> Iterator[str]:
    models = [price.model for price in prices]
    for model in sorted({model for model in models if models.count(model) > 1}):
        yield f"costs.prices: '{model}' is priced twice. Keep one entry."
    if "" in models:
        yield "costs.prices: one has no model. Name the model as its provider does."
    for price in prices:
        for key in _PRICES:
            amount = getattr(price, key)
            if amount is not None and not (amount.is_finite() and 0 <= amount <= _LARGEST_PRICE):
                yield (
                    f"costs.prices: '{price.model}' has {key} = {amount}. Set dollars, "
                    f"0 to {_LARGEST_PRICE}."
                )
