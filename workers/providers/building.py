"""From the settings' ordered list to a chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.breakers.board import BreakerBoard
from shared.clock import Clock
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.tracing import Tracing
from workers.providers.anthropic import ANTHROPIC
from workers.providers.chain import Chain, ChainLink
from workers.providers.chaos.chaos import Chaos
from workers.providers.deployments.loads import DeploymentLoads
from workers.providers.deployments.members import Deployment, DeploymentSet
from workers.providers.deployments.pool import DeploymentPool
from workers.providers.handoff import HANDOFF, HandoffProvider
from workers.providers.limiting.limited import LimitedProvider
from workers.providers.limiting.outbound_limits import OutboundLimits
from workers.providers.openai_compatible import AZURE_OPENAI, LOCAL, OPENAI_COMPATIBLE
from workers.providers.provider import Provider
from workers.providers.provider_type import ProviderType
from workers.providers.rules import BUILT_IN_RULES, RULES, RulesProvider
from workers.providers.walking.lateness import Hedging
from workers.providers.walking.link import RetryPolicy
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.timeouts import Timeouts

PROVIDER_TYPES: Final[dict[ProviderKind, ProviderType]] = {
    each.kind: each for each in (OPENAI_COMPATIBLE, AZURE_OPENAI, ANTHROPIC, LOCAL, RULES, HANDOFF)
}
"""Every kind of provider that the settings may name."""


def build_chain(
    providers: Sequence[ProviderSettings],
    connections: ProviderConnections,
    *,
    clock: Clock,
    tracing: Tracing | None = None,
    breakers: BreakerBoard | None = None,
    limits: OutboundLimits | None = None,
    loads: DeploymentLoads | None = None,
    hedging: Hedging | None = None,
    chaos: Chaos | None = None,
) -> Chain:
    """The chain in the order of the settings; built-in rules, then a human, when there are none.

    Models stand behind `breakers`, and behind `limits` where their settings name any; rules and
    humans are always asked. `loads` say which deployment has the least to do, and are needed where
    a provider has any. With `hedging` a late model has the next one asked beside it. `chaos` stands
    around the models, inside what protects them.
    Raises `SettingsError` that names the provider, what is wrong and the fix.
    """
    if not providers:
        return Chain(_links_without_settings(), clock=clock, tracing=tracing)
    links = []
    for settings in providers:
        pool = None
        if settings.deployments:
            pool = _pool(settings, connections, loads, breakers, chaos, clock=clock)
        provider = pool or _limited(
            _flexible(_disturbed(build_provider(settings, connections), settings, chaos), settings),
            settings,
            limits,
            clock=clock,
        )
        links.append(_link(provider, settings, breakers, pool))
    return Chain(links, clock=clock, tracing=tracing, hedging=hedging)


def _link(
    provider: Provider,
    settings: ProviderSettings,
    breakers: BreakerBoard | None,
    pool: DeploymentPool | None,
) -> ChainLink:
    return ChainLink(
        provider=provider,
        retry=RetryPolicy(max_tries=settings.max_tries),
        most_output_tokens=settings.max_output_tokens,
        breakers=breakers if settings.kind.is_model else None,
        is_human=settings.kind.is_human,
        is_stopgap=settings.kind.is_stopgap,
        deployments=pool,
    )


def _pool(
    settings: ProviderSettings,
    connections: ProviderConnections,
    loads: DeploymentLoads | None,
    breakers: BreakerBoard | None,
    chaos: Chaos | None,
    *,
    clock: Clock,
) -> DeploymentPool:
    if loads is None:
        raise ValueError("deployments are chosen by what they have to do: loads are needed")
    deployments = [
        Deployment(
            name=deployment.name,
            provider=_disturbed(build_provider(each, connections), settings, chaos),
        )
        for deployment, each in zip(settings.deployments, settings.each_deployment, strict=True)
    ]
    members = DeploymentSet(settings, deployments, loads=loads, breakers=breakers)
    return DeploymentPool(members, clock=clock)


def _links_without_settings() -> tuple[ChainLink, ...]:
    return (
        ChainLink(provider=RulesProvider.from_file(BUILT_IN_RULES, name="rules")),
        ChainLink(provider=HandoffProvider(name="handoff"), is_human=True),
    )


def _disturbed(provider: Provider, settings: ProviderSettings, chaos: Chaos | None) -> Provider:
    if chaos is None or not settings.kind.is_model:
        return provider
    return chaos.around(provider, Timeouts.of(settings))


def _flexible(provider: Provider, settings: ProviderSettings) -> Provider:
    if not (settings.flex and settings.kind is ProviderKind.OPENAI_COMPATIBLE):
        return provider
    from workers.providers.flex import FlexProvider

    return FlexProvider(provider)


def _limited(
    provider: Provider, settings: ProviderSettings, limits: OutboundLimits | None, *, clock: Clock
) -> Provider:
    bounds = (settings.requests_per_minute, settings.tokens_per_minute, settings.max_concurrency)
    if limits is None or not any(bounds):
        return provider
    return LimitedProvider(provider, settings, limits=limits, clock=clock)


def build_provider(settings: ProviderSettings, connections: ProviderConnections) -> Provider:
    """One provider by itself; raises `SettingsError` that names what it lacks."""
    return PROVIDER_TYPES[settings.kind].build(settings, connections)
