"""A cache that can keep nothing is not built."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any, cast

import pytest

from shared.clock import SystemClock
from shared.settings import load_settings
from shared.telemetry.metrics import Metrics
from workers.building.caching import AnswerCaching, CachingParts

RULES = '{"name": "rules", "kind": "rules", "rules_file": "rules.toml"}'
MODEL = '{"name": "m", "kind": "openai_compatible", "base_url": "http://127.0.0.1:9", "model": "m"}'


@pytest.mark.parametrize(
    ("chain", "exact"),
    [(f"[{MODEL}]", "false"), (f"[{RULES}]", "true")],
    ids=["it is off", "rules alone answer, which are never kept"],
)
async def test_there_are_no_steps_of_a_cache_where(chain: str, exact: str) -> None:
    settings = load_settings({"FOREBAY_PROVIDERS": chain, "FOREBAY_CACHING__EXACT": exact})
    nothing: Any = cast(Any, None)
    async with AsyncExitStack() as stack:
        parts = CachingParts(
            settings=settings,
            redis=nothing,
            stack=stack,
            judging=nothing,
            replies=nothing,
            wakeups=nothing,
            metrics=Metrics(),
            clock=SystemClock(),
        )
        assert await parts.open() == AnswerCaching()
