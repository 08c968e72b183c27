"""Settings that are each valid and cannot work, by themselves or together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from shared.settings.providers import ProviderSettings
from shared.settings.settings import Settings
from shared.settings.turn.fact_source import SourceFailure
from shared.settings.watching.variants import variant_faults


@runtime_checkable
class _Section(Protocol):
    """A section that may be read and yet not work."""

    def faults(self) -> Iterator[str]:
        """One sentence for each fault, with its fix."""
        ...


def unsound(settings: Settings) -> Iterator[str]:
    """One sentence for each fault, with its fix: of every section, then between them."""
    for name in settings.__struct_fields__:
        section = getattr(settings, name)
        if isinstance(section, _Section):
            yield from section.faults()
    yield from _chain(settings.providers)
    yield from settings.chaos.strangers(_models(settings))
    yield from _visibility(settings)
    yield from _hedging(settings)
    yield from _handing_off(settings)
    models = {each.name: each.named_models for each in settings.providers if each.kind.is_model}
    yield from variant_faults(settings.variants, models=models)


def _chain(providers: tuple[ProviderSettings, ...]) -> Iterator[str]:
    names = [provider.name for provider in providers]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"providers: two are named '{name}'. Give each its own name."
    for provider in providers:
        yield from provider.faults()
        for each in provider.each_deployment:
            if provider.deployments and each.name in names:
                yield f"providers: '{each.name}' is a provider and a deployment. Rename one."


def _visibility(settings: Settings) -> Iterator[str]:
    broker, hard_limit = settings.broker, settings.worker.hard_time_limit_seconds
    if broker.is_redis and broker.visibility_timeout_seconds < 2 * hard_limit:
        yield (
            "broker.visibility_timeout_seconds must be at least twice "
            f"worker.hard_time_limit_seconds: {2 * hard_limit:g} or more, "
            "else Redis gives running messages to a second worker."
        )


def _models(settings: Settings) -> list[str]:
    models = [each for each in settings.providers if each.kind.is_model]
    deployments = [one.name for each in models if each.deployments for one in each.each_deployment]
    return [each.name for each in models] + deployments


def _hedging(settings: Settings) -> Iterator[str]:
    models = [each for each in settings.providers if each.kind.is_model]
    places = sum(len(each.each_deployment) for each in models)
    if settings.hedging.enabled and places < 2:
        yield (
            f"hedging.enabled = true: the chain has {len(models)} models, and a late one needs "
            "another behind it. Add a provider or a deployment, or leave hedging off."
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
