"""The cache of a worker: its steps, and what stands behind them for as long as the worker runs."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
from redis.asyncio import Redis

from shared.clock import Clock
from shared.redis.cache.answer_cache import AnswerCache
from shared.redis.cache.flights import Flights
from shared.redis.reply_stream import ReplyStream
from shared.redis.wakeups import Wakeups
from shared.settings import Settings
from shared.settings.providers import ProviderSettings
from shared.telemetry.metrics import Metrics
from workers.caching.cacheable import CacheableRule, stand_ins
from workers.caching.single_flight import SingleFlight
from workers.maintenance.periodic import repeat, running
from workers.steps.caching.look_up import LookUp
from workers.steps.caching.retelling import Retelling
from workers.steps.caching.store import Store
from workers.steps.judging import Judging
from workers.validation.refusal import begins_with_refusal

_RENEWALS_PER_LEASE = 3


@dataclass(frozen=True, slots=True)
class AnswerCaching:
    """The steps before the answer and after the reply; none where the cache is off."""

    before: tuple[LookUp, ...] = ()
    afterwards: tuple[Store, ...] = ()


async def open_caching(
    settings: Settings,
    redis: Redis,
    stack: AsyncExitStack,
    *,
    judging: Judging,
    replies: ReplyStream,
    metrics: Metrics,
    clock: Clock,
) -> AnswerCaching:
    """The cache's steps; what they need is closed with the stack."""
    if not settings.caching.exact:
        return AnswerCaching()
    lease_seconds = settings.caching.flight_lease_seconds
    cache = _open_cache(settings, redis, clock)
    stack.push_async_callback(cache.close)
    wakeups = Wakeups(redis)
    stack.push_async_callback(wakeups.close)
    flights = Flights(redis, lease_seconds=lease_seconds)
    renewing = repeat("flights", flights.renew, every_seconds=lease_seconds / _RENEWALS_PER_LEASE)
    await stack.enter_async_context(running(renewing))
    rule = CacheableRule(
        settings.caching,
        stand_ins=stand_ins(settings.providers),
        is_refusal=begins_with_refusal,
    )
    look_up = LookUp(
        cache,
        rule=rule,
        retelling=Retelling(
            judging,
            replies,
            stream_interval_seconds=settings.worker.stream_interval_seconds,
            metrics=metrics,
            clock=clock,
        ),
        flights=flights,
        single_flight=SingleFlight(cache, wakeups, clock),
        settings=settings.caching,
        chain=_fingerprint(settings.providers),
        metrics=metrics,
        clock=clock,
    )
    return AnswerCaching((look_up,), (Store(cache, rule=rule, metrics=metrics),))


def _open_cache(settings: Settings, redis: Redis, clock: Clock) -> AnswerCache:
    caching = settings.caching
    return AnswerCache(
        redis,
        clock,
        timeout_seconds=settings.redis.timeout_seconds,
        ttl_seconds=caching.ttl_seconds,
        entries_per_tenant=caching.entries_per_tenant,
        flight_lease_seconds=caching.flight_lease_seconds,
    )


def _fingerprint(providers: tuple[ProviderSettings, ...]) -> str:
    """What changes when somebody else would answer."""
    chain = [(one.name, one.kind, one.base_url, one.named_models) for one in providers]
    return blake2b(msgspec.json.encode(chain), digest_size=8).hexdigest()
