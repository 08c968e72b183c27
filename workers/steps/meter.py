"""What a chain tried: counted in the metrics, priced, and made what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from shared.costs.price import ServedTier
from shared.costs.prices import Prices
from shared.persistence.ledger.records import AttemptRecord
from shared.storable_text import storable
from shared.telemetry.metrics import Metrics
from workers.providers.attempt import Attempt
from workers.providers.outcome import Usage

_LONGEST_NAME: Final = 128
"""As the ledger's column takes it."""


class Meter:
    """Counts and prices attempts, failed ones too, each once.

    An amount that it cannot know is None, and is counted as such.
    """

    def __init__(self, prices: Prices, metrics: Metrics) -> None:
        self._prices = prices
        self._metrics = metrics

    def read(self, attempts: Sequence[Attempt]) -> tuple[AttemptRecord, ...]:
        """Every attempt with what it cost, as the ledger keeps it."""
        return tuple([self._read(attempt) for attempt in attempts])

    def _read(self, attempt: Attempt) -> AttemptRecord:
        self._count(attempt)
        usage = attempt.usage
        return AttemptRecord(
            provider=attempt.provider,
            model=attempt.model[:_LONGEST_NAME],
            started_at=attempt.started_at,
            latency_seconds=attempt.latency_seconds,
            error_class=attempt.error_class,
            # It may quote the caller.
            detail=storable(attempt.detail) or None,
            input_tokens=usage.input_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            cache_write_tokens=usage.cache_write_tokens if usage else None,
            output_tokens=usage.output_tokens if usage else None,
            reasoning_tokens=usage.reasoning_tokens if usage else None,
            is_estimated=usage is not None and not usage.reported,
            cost=self._cost(attempt),
            deployment=attempt.deployment,
        )

    def _cost(self, attempt: Attempt) -> Decimal | None:
        """Dollars; nothing for what was not charged, or is billed by nobody."""
        provider, model, usage = attempt.provider, attempt.model, attempt.usage
        if usage is None or self._prices.is_free(provider):
            return Decimal(0)
        cost = self._prices.cost(provider, model, usage.tokens, at=attempt.started_at)
        if cost is None:
            self._metrics.unknown_costs.labels(provider, model).inc()
        else:
            self._metrics.cost.labels(provider, model).inc(float(cost))
        return cost

    def _count(self, attempt: Attempt) -> None:
        metrics, provider, model = self._metrics, attempt.provider, attempt.model
        metrics.provider_attempts.labels(provider, model, attempt.error_class or "none").inc()
        if attempt.usage is None or attempt.usage.tier is not ServedTier.BATCH:
            # How long a batch lay somewhere says nothing of calls.
            latency = metrics.provider_latency_seconds.labels(provider, model)
            latency.observe(attempt.latency_seconds)
        if attempt.first_token_seconds is not None:
            first_token = metrics.time_to_first_token_seconds.labels(provider, model)
            first_token.observe(attempt.first_token_seconds)
        for oddity in attempt.oddities:
            metrics.provider_oddities.labels(provider, oddity).inc()
        if attempt.deployment is not None:
            ended = attempt.error_class or "none"
            metrics.deployment_attempts.labels(provider, attempt.deployment, ended).inc()
        if attempt.usage is not None:
            for kind, tokens in _by_kind(attempt.usage).items():
                # Asked for also where nothing is added: it is there from the first call on.
                counter = metrics.tokens.labels(provider, model, kind)
                if tokens > 0:
                    counter.inc(tokens)
                if attempt.deployment is not None:
                    read = metrics.deployment_tokens.labels(provider, attempt.deployment, kind)
                    read.inc(max(0, tokens))


def _by_kind(usage: Usage) -> dict[str, int]:
    """Each token once: what is read anew, read or written by the cache, written, and thought."""
    anew = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    return {
        "input": anew,
        "cached_input": usage.cached_tokens,
        "cache_write_input": usage.cache_write_tokens,
        "output": usage.output_tokens - usage.reasoning_tokens,
        "reasoning_output": usage.reasoning_tokens,
    }
