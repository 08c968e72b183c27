"""From what a chain tried to what the ledger keeps of it."""

from __future__ import annotations

from collections.abc import Sequence

from shared.persistence.ledger.records import AttemptRecord
from shared.telemetry.metrics import Metrics
from workers.providers.attempt import Attempt


def attempt_records(attempts: Sequence[Attempt]) -> tuple[AttemptRecord, ...]:
    """Every attempt, failed ones too."""
    return tuple(
        AttemptRecord(
            provider=attempt.provider,
            model=attempt.model,
            started_at=attempt.started_at,
            latency_seconds=attempt.latency_seconds,
            error_class=attempt.error_class,
            detail=attempt.detail or None,
            input_tokens=attempt.usage.input_tokens if attempt.usage else None,
            output_tokens=attempt.usage.output_tokens if attempt.usage else None,
        )
        for attempt in attempts
    )


def count_attempts(attempts: Sequence[Attempt], metrics: Metrics) -> None:
    """Add the attempts to the metrics."""
    for attempt in attempts:
        provider, model = attempt.provider, attempt.model
        metrics.provider_attempts.labels(provider, model, attempt.error_class or "none").inc()
        metrics.provider_latency_seconds.labels(provider, model).observe(attempt.latency_seconds)
        if attempt.usage is not None:
            uncached = attempt.usage.input_tokens - attempt.usage.cached_tokens
            metrics.tokens.labels(provider, model, "input").inc(max(0, uncached))
            metrics.tokens.labels(provider, model, "cached_input").inc(attempt.usage.cached_tokens)
            metrics.tokens.labels(provider, model, "output").inc(attempt.usage.output_tokens)
