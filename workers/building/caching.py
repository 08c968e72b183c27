"""The cache of a worker: its steps, and what stands behind them for as long as the worker runs."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
from redis.asyncio import Redis

from shared.answer_cache.answer_cache import AnswerCache
from shared.answer_cache.flights import Flights
from shared.clock import Clock
from shared.embeddings.extra import encoder_missing
from shared.replies.reply_stream import ReplyStream
from shared.replies.wakeups import Wakeups
from shared.resilience.periodic import repeat, running
from shared.settings import Settings
from shared.settings.providers import ProviderSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.steps.judging import Judging

# What a cache is made of is imported where one is built: most workers have none.
if TYPE_CHECKING:
    from workers.steps.caching.look_up import LookUp
    from workers.steps.caching.retelling import Retelling
    from workers.steps.caching.same_meaning import SameMeaning
    from workers.steps.caching.store import Store

_RENEWALS_PER_LEASE = 3


@dataclass(frozen=True, slots=True)
class AnswerCaching:
    """The steps before the answer and after the reply; none where the cache is off, or where
    nobody is asked whose answers are kept."""

    before: tuple[LookUp, ...] = ()
    afterwards: tuple[Store, ...] = ()
    before_batch: tuple[LookUp, ...] = ()
    """Before a message is handed to a provider's batch: nobody waits hours for its answer."""
    after_batch: tuple[LookUp, ...] = ()
    """Once it came back: what was stored meanwhile does not stand in for what was paid for."""


@dataclass(frozen=True, kw_only=True)
class CachingParts:
    """What the cache is built on; what it opens is closed with the stack."""

    settings: Settings
    redis: Redis
    stack: AsyncExitStack
    judging: Judging
    replies: ReplyStream
    wakeups: Wakeups
    metrics: Metrics
    clock: Clock

    async def open(self) -> AnswerCaching:
        """The cache's steps."""
        caching, metrics = self.settings.caching, self.metrics
        if not caching.exact:
            return AnswerCaching()
        from workers.caching.cacheable import CacheableRule, NotCacheable, stand_ins
        from workers.caching.single_flight import SingleFlight
        from workers.steps.caching.look_up import LookUp
        from workers.steps.caching.store import Store
        from workers.validation.refusal import begins_with_refusal

        never_kept = stand_ins(self.settings.providers)
        if len(never_kept) == len(self.settings.providers):
            return AnswerCaching()
        for reason in NotCacheable:  # an alert does not see the rise of what begins at 1
            metrics.cache_refusals.labels(reason)
        cache, retelling = self._cache(), self._retelling()
        rule = CacheableRule(caching, stand_ins=never_kept, is_refusal=begins_with_refusal)
        same_meaning = await self._same_meaning(cache, retelling)
        look_up = partial(
            LookUp,
            cache,
            rule=rule,
            retelling=retelling,
            same_meaning=same_meaning,
            flights=await self._flights(),
            single_flight=SingleFlight(cache, self.wakeups, self.clock),
            settings=caching,
            chain=_fingerprint(self.settings.providers),
            metrics=metrics,
            clock=self.clock,
        )
        store = Store(cache, rule=rule, same_meaning=same_meaning, metrics=metrics)
        return AnswerCaching(
            (look_up(),),
            (store,),
            before_batch=(look_up(joins=False),),
            after_batch=(look_up(joins=False, reads=False),),
        )

    def _cache(self) -> AnswerCache:
        caching = self.settings.caching
        cache = AnswerCache(
            self.redis,
            self.clock,
            timeout_seconds=self.settings.redis.timeout_seconds,
            ttl_seconds=caching.ttl_seconds,
            entries_per_tenant=caching.entries_per_tenant,
            flight_lease_seconds=caching.flight_lease_seconds,
        )
        self.stack.push_async_callback(cache.close)
        return cache

    def _retelling(self) -> Retelling:
        from workers.steps.caching.retelling import Retelling

        return Retelling(
            self.judging,
            self.replies,
            stream_interval_seconds=self.settings.worker.stream_interval_seconds,
            metrics=self.metrics,
            clock=self.clock,
        )

    async def _flights(self) -> Flights:
        lease_seconds = self.settings.caching.flight_lease_seconds
        flights = Flights(self.redis, lease_seconds=lease_seconds)
        every_seconds = lease_seconds / _RENEWALS_PER_LEASE
        renewing = repeat("flights", flights.renew, every_seconds=every_seconds)
        await self.stack.enter_async_context(running(renewing))
        return flights

    async def _same_meaning(self, cache: AnswerCache, retelling: Retelling) -> SameMeaning | None:
        caching = self.settings.caching
        if not caching.semantic.enabled:
            return None
        if reason := encoder_missing():
            get_logger(__name__).error("encoder_off", reason=reason)
            return None
        from shared.embeddings.onnx import OnnxEncoder
        from workers.caching.semantic.shared_cache import SharedSemanticCache
        from workers.steps.caching.same_meaning import SameMeaning

        encoder = OnnxEncoder()
        self.stack.push_async_callback(encoder.close)
        # Loaded beside everything else, so that the first messages need not wait for it.
        await self.stack.enter_async_context(running(encoder.warm_up()))
        semantic = SharedSemanticCache(
            self.redis, encoder, self.clock, self.metrics, caching.semantic
        )
        self.stack.push_async_callback(semantic.close)
        return SameMeaning(
            semantic,
            cache,
            retelling=retelling,
            ttl_seconds=caching.ttl_seconds,
            metrics=self.metrics,
        )


def _fingerprint(providers: tuple[ProviderSettings, ...]) -> str:
    """What changes when somebody else would answer."""
    chain = [(one.name, one.kind, one.base_url, one.named_models) for one in providers]
    return blake2b(msgspec.json.encode(chain), digest_size=8).hexdigest()
