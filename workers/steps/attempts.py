"""From what a chain tried to what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from shared.costs.meter import Meter
from shared.persistence.ledger.records import AttemptRecord
from shared.storable_text import storable
from shared.telemetry.metrics import Metrics
from workers.providers.attempt import Attempt
from workers.providers.outcome import Usage

_LONGEST_NAME: Final = 128
"""As the ledger's column takes it."""


def attempt_records(attempts: Sequence[Attempt], meter: Meter) -> tuple[AttemptRecord, ...]:
    """Every attempt with what it cost, failed ones too."""
    return tuple(
        AttemptRecord(
            provider=attempt.provider,
            model=attempt.model[:_LONGEST_NAME],
            started_at=attempt.started_at,
            latency_seconds=attempt.latency_seconds,
            error_class=attempt.error_class,
            # It may quote the caller.
            detail=storable(attempt.detail) or None,
            input_tokens=attempt.usage.input_tokens if attempt.usage else None,
            cached_tokens=attempt.usage.cached_tokens if attempt.usage else None,
            cache_write_tokens=attempt.usage.cache_write_tokens if attempt.usage else None,
            output_tokens=attempt.usage.output_tokens if attempt.usage else None,
            reasoning_tokens=attempt.usage.reasoning_tokens if attempt.usage else None,
            is_estimated=attempt.usage is not None and not attempt.usage.reported,
            cost=_cost(attempt, meter),
        )
        for attempt in attempts
    )


def _cost(attempt: Attempt, meter: Meter) -> Decimal | None:
    usage = attempt.usage
    return meter.cost(
        attempt.provider,
        attempt.model,
        None if usage is None else usage.tokens,
        at=attempt.started_at,
    )


def count_attempts(attempts: Sequence[Attempt], metrics: Metrics) -> None:
    """Add the attempts to the metrics."""
    for attempt in attempts:
        provider, model = attempt.provider, attempt.model
        metrics.provider_attempts.labels(provider, model, attempt.error_class or "none").inc()
        metrics.provider_latency_seconds.labels(provider, model).observe(attempt.latency_seconds)
        if attempt.first_token_seconds is not None:
            first_token = metrics.time_to_first_token_seconds.labels(provider, model)
            first_token.observe(attempt.first_token_seconds)
        for oddity in attempt.oddities:
            metrics.provider_oddities.labels(provider, oddity).inc()
        if attempt.usage is not None:
            for kind, tokens in _by_kind(attempt.usage).items():
                metrics.tokens.labels(provider, model, kind).inc(max(0, tokens))


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
