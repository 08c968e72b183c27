"""The provider chain of one worker process, with all that stands around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Final, NamedTuple

from redis.asyncio import Redis

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.rehearsals.board import RehearsalBoard
from shared.replies.reply_stream import ReplyStream
from shared.resilience.periodic import repeat, running
from shared.settings import Settings
from shared.settings.providers import ProviderSettings
from shared.settings.turn.chaos import ChaosSettings, InjectionSettings
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import Tracing
from workers.building.recall import open_files
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.chaos.chaos import Chaos
from workers.providers.chaos.rehearsing import Rehearsing
from workers.providers.deployments.loads import DeploymentLoads
from workers.providers.error_class import ErrorClass
from workers.providers.limiting.outbound_limits import OutboundLimits
from workers.providers.provider import ModelChoice
from workers.providers.walking.lateness import Hedging
from workers.providers.wire.http.connections import ProviderConnections
from workers.routing.model_router import ModelRouter
from workers.steps.answer import AnswerStep
from workers.steps.choose_model import ChooseModel
from workers.steps.judging import Judging
from workers.steps.meter import Meter
from workers.steps.patience import PatientAnswer

_LOOK_SECONDS: Final = 1.0
"""Between two looks for a rehearsal."""


async def open_chain(
    settings: Settings,
    redis: Redis,
    stack: AsyncExitStack,
    *,
    metrics: Metrics,
    tracing: Tracing,
    clock: Clock,
) -> Chain:
    """Closed with `stack`. Raises SettingsError for a provider that cannot be built."""
    breakers = await _open_breakers(settings, redis, stack, metrics=metrics, clock=clock)
    connections = await stack.enter_async_context(ProviderConnections())
    limits = OutboundLimits(redis, clock)
    stack.push_async_callback(limits.close)
    build = partial(
        build_chain,
        settings.providers,
        connections,
        clock=clock,
        tracing=tracing,
        breakers=breakers,
        limits=limits,
        loads=await _open_loads(settings, redis, stack, metrics=metrics, clock=clock),
        hedging=Hedging(settings.hedging, metrics) if settings.hedging.enabled else None,
    )
    chain = build(chaos=_chaos(settings, metrics))
    stack.push_async_callback(chain.close)
    if settings.chaos.rehearsals and any(each.kind.is_model for each in settings.providers):
        await stack.enter_async_context(_rehearsing(settings, chain, build, redis, metrics))
    count_from_zero(settings.providers, metrics)
    return chain


class AnswerParts(NamedTuple):
    """What an answer is made with, besides whoever gives it."""

    settings: Settings
    database: Database
    replies: ReplyStream
    judging: Judging
    meter: Meter
    metrics: Metrics
    clock: Clock

    def step(self, chain: Chain) -> AnswerStep:
        """The step that asks this chain."""
        return AnswerStep(
            chain,
            self.replies,
            files=open_files(self.database, self.clock),
            stream_interval_seconds=self.settings.worker.stream_interval_seconds,
            judging=self.judging,
            meter=self.meter,
            metrics=self.metrics,
            clock=self.clock,
        )

    def patient_step(self, chain: Chain, claims: ClaimGroup) -> PatientAnswer:
        """The same, of messages that are put back while no model is there, if they can wait."""
        return PatientAnswer(self.step(chain), claims)


def model_choice(settings: Settings, metrics: Metrics) -> Iterator[ChooseModel]:
    """Nothing where every provider has one model: there is no choice then."""
    if any(ModelChoice.of(each).has_tiers for each in settings.providers if each.named_models):
        yield ChooseModel(ModelRouter(settings.routing), metrics)


def count_from_zero(providers: Sequence[ProviderSettings], metrics: Metrics) -> None:
    """What is counted of every model is there before it first happens, each class of error too."""
    for provider in providers:
        for model in provider.named_models:
            metrics.count_from_zero(provider=provider.name, model=model)
            for error_class in ("none", *ErrorClass):
                metrics.provider_attempts.labels(provider.name, model, error_class)


async def _open_loads(
    settings: Settings, redis: Redis, stack: AsyncExitStack, *, metrics: Metrics, clock: Clock
) -> DeploymentLoads | None:
    """None where no provider has deployments: nothing is renewed then."""
    if not any(each.deployments for each in settings.providers):
        return None
    loads = DeploymentLoads(redis, clock, metrics)
    stack.push_async_callback(loads.close)
    renewing = repeat("deployments", loads.renew, every_seconds=loads.renewal_seconds)
    await stack.enter_async_context(running(renewing))
    return loads


async def _open_breakers(
    settings: Settings, redis: Redis, stack: AsyncExitStack, *, metrics: Metrics, clock: Clock
) -> BreakerBoard:
    fleet = BreakerFleet(redis, settings.breakers, clock)
    stack.push_async_callback(fleet.close)
    breakers = BreakerBoard(fleet, settings.breakers, metrics=metrics, clock=clock)
    stack.push_async_callback(breakers.close)
    refreshing = repeat(
        "breakers", breakers.refresh, every_seconds=settings.breakers.refresh_seconds
    )
    await stack.enter_async_context(running(refreshing))
    return breakers


def _rehearsing(
    settings: Settings,
    chain: Chain,
    build: Callable[..., Chain],
    redis: Redis,
    metrics: Metrics,
) -> AbstractAsyncContextManager[None]:
    lasting = settings.chaos.injections if settings.chaos.enabled else ()

    def disturbed(injections: tuple[InjectionSettings, ...]) -> Chain:
        struck = ChaosSettings(enabled=True, injections=(*injections, *lasting))
        return build(chaos=Chaos(struck, metrics))

    rehearsing = Rehearsing(chain, disturbed, RehearsalBoard(redis))
    return running(repeat("rehearsals", rehearsing.look, every_seconds=_LOOK_SECONDS))


def _chaos(settings: Settings, metrics: Metrics) -> Chaos | None:
    if not settings.chaos.enabled:
        return None
    chaos = Chaos(settings.chaos, metrics)
    chaos.announce()
    return chaos
