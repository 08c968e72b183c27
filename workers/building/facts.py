"""From the settings to what looks facts up in a turn, with what it needs open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.clock import Clock
from shared.settings import Settings
from shared.telemetry.metrics import Metrics
from workers.providers.handoff import DEFAULT_APOLOGY
from workers.steps.look_up_facts import LookUpFacts


@asynccontextmanager
async def open_fact_steps(
    settings: Settings, metrics: Metrics, clock: Clock
) -> AsyncIterator[tuple[LookUpFacts, ...]]:
    """The step for as long as the context is open; no source is reached before it is asked.

    None where there is no source and the model is told nothing: a producer's own facts come with
    its message, and are read when its answer is judged.
    """
    if not settings.facts.sources and not settings.facts.tell_model:
        yield ()
        return
    # They bring an HTTP client with them, 10 MiB that a worker without facts does without.
    from workers.fact_sources.building import build_fact_lookup
    from workers.fact_sources.http_source import open_fact_session

    humans = [each for each in settings.providers if each.kind.is_human]
    async with open_fact_session() as session:
        lookup = build_fact_lookup(settings.facts, session, metrics=metrics, clock=clock)
        try:
            yield (
                LookUpFacts(
                    lookup if settings.facts.sources else None,
                    settings.facts,
                    human=humans[0].name if humans else "handoff",
                    apology=(humans[0].apology if humans else None) or DEFAULT_APOLOGY,
                    metrics=metrics,
                    clock=clock,
                ),
            )
        finally:
            await lookup.close()
