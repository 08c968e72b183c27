"""What a chain tried, in figures."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.telemetry.metrics import Metrics
from workers.providers.attempt import Attempt
from workers.providers.outcome import Usage
from workers.steps.attempts import count_attempts


def test_each_token_is_counted_once_by_what_became_of_it() -> None:
    usage = Usage(
        input_tokens=100,
        output_tokens=50,
        cached_tokens=60,
        cache_write_tokens=15,
        reasoning_tokens=20,
    )
    attempt = Attempt(
        provider="first",
        model="m",
        ordinal=1,
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        latency_seconds=1.0,
        usage=usage,
    )
    metrics = Metrics()
    count_attempts([attempt], metrics)
    counted = {
        kind: metrics.registry.get_sample_value(
            "forebay_tokens_total", {"provider": "first", "model": "m", "kind": kind}
        )
        for kind in ("input", "cached_input", "cache_write_input", "output", "reasoning_output")
    }
    assert counted == {
        "input": 25,
        "cached_input": 60,
        "cache_write_input": 15,
        "output": 30,
        "reasoning_output": 20,
    }
