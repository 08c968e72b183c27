"""From the settings' ordered list to a chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import aiohttp

from shared.breakers.board import BreakerBoard
from shared.clock import Clock
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.metrics import installed_version
from shared.telemetry.tracing import Tracing
from workers.providers.anthropic import ANTHROPIC
from workers.providers.chain import Chain, ChainLink
from workers.providers.chaos.chaos import Chaos
from workers.providers.handoff import HANDOFF, HandoffProvider
from workers.providers.limiting.limited import LimitedProvider
from workers.providers.limiting.outbound_limits import OutboundLimits
from workers.providers.openai_compatible import AZURE_OPENAI, LOCAL, OPENAI_COMPATIBLE
from workers.providers.provider import Provider
from workers.providers.provider_type import ProviderType
from workers.providers.rules import BUILT_IN_RULES, RULES, RulesProvider
from workers.providers.walking.lateness import Hedging
from workers.providers.walking.link import RetryPolicy
from workers.providers.wire.timeouts import Timeouts

PROVIDER_TYPES: Final[dict[ProviderKind, ProviderType]] = {
    each.kind: each for each in (OPENAI_COMPATIBLE, AZURE_OPENAI, ANTHROPIC, LOCAL, RULES, HANDOFF)
}
"""Every kind of provider that the settings may name."""

_KEEP_ALIVE_SECONDS: Final = 30.0
_NAMES_REMEMBERED_SECONDS: Final = 30


def open_provider_session() -> aiohttp.ClientSession:
    """The HTTP session that all providers of a process share; the caller closes it.

    Servers are told who asks; a provider's own headers go before that.

    The number of connections is not bounded here: concurrency is bounded by the worker, and a
    call that waits for a connection would look like a provider that does not accept one.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            ttl_dns_cache=_NAMES_REMEMBERED_SECONDS,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": f"Forebay/{installed_version()}"},
    )


def build_chain(
    providers: Sequence[ProviderSettings],
    session: aiohttp.ClientSession,
    *,
    clock: Clock,
    tracing: Tracing | None = None,
    breakers: BreakerBoard | None = None,
    limits: OutboundLimits | None = None,
    hedging: Hedging | None = None,
    chaos: Chaos | None = None,
) -> Chain:
    """The chain in the order of the settings; built-in rules, then a human, when there are none.

    Models stand behind `breakers`, and behind `limits` where their settings name any; rules and
    humans are always asked. With `hedging` a late model has the next one asked beside it. `chaos`
    stands around the models, inside what protects them.
    Raises `SettingsError` that names the provider, what is wrong and the fix.
    """
    if not providers:
        return Chain(_links_without_settings(), clock=clock, tracing=tracing)
    links = [
        ChainLink(
            provider=_limited(
                _disturbed(build_provider(settings, session), settings, chaos),
                settings,
                limits,
                clock=clock,
            ),
            retry=RetryPolicy(max_tries=settings.max_tries),
            most_output_tokens=settings.max_output_tokens,
            breakers=breakers if settings.kind.is_model else None,
            is_human=settings.kind.is_human,
            is_stopgap=settings.kind.is_stopgap,
        )
        for settings in providers
    ]
    return Chain(links, clock=clock, tracing=tracing, hedging=hedging)


def _links_without_settings() -> tuple[ChainLink, ...]:
    return (
        ChainLink(provider=RulesProvider.from_file(BUILT_IN_RULES, name="rules")),
        ChainLink(provider=HandoffProvider(name="handoff"), is_human=True),
    )


def _disturbed(provider: Provider, settings: ProviderSettings, chaos: Chaos | None) -> Provider:
    if chaos is None or not settings.kind.is_model:
        return provider
    return chaos.around(provider, Timeouts.of(settings))


def _limited(
    provider: Provider, settings: ProviderSettings, limits: OutboundLimits | None, *, clock: Clock
) -> Provider:
    bounds = (settings.requests_per_minute, settings.tokens_per_minute, settings.max_concurrency)
    if limits is None or not any(bounds):
        return provider
    return LimitedProvider(provider, settings, limits=limits, clock=clock)


def build_provider(settings: ProviderSettings, session: aiohttp.ClientSession) -> Provider:
    """One provider by itself; raises `SettingsError` that names what it lacks."""
    return PROVIDER_TYPES[settings.kind].build(settings, session)
