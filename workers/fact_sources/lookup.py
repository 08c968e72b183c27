"""All fact sources of a tenant, asked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.clock import Clock
from shared.messages.facts import Facts
from shared.settings.turn.fact_source import FactSourceSettings, SourceFailure
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from workers.fact_sources.parameters import needed_by
from workers.fact_sources.source import FactSource, FactsUnavailable, Parameters


class LookupOutcome(StrEnum):
    """What came of asking one source."""

    FOUND = "found"
    NOTHING = "nothing"
    NOT_ASKED = "not_asked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Listed:
    """A source with its place in the settings."""

    settings: FactSourceSettings
    source: FactSource


@dataclass(frozen=True, slots=True)
class Found:
    """What the sources know together, and what the failed ones want done without theirs."""

    facts: Facts
    failures: tuple[FactSourceSettings, ...] = ()

    def wants(self, reaction: SourceFailure) -> FactSourceSettings | None:
        """The first failed source that wants it."""
        return next((source for source in self.failures if source.on_failure is reaction), None)


class FactLookup:
    """Asks every source that a message may be asked about, side by side, and never twice.

    A source whose query takes what the message lacks is not asked. One that fails is logged and
    counted and never raises.
    """

    def __init__(self, listed: Sequence[Listed], *, metrics: Metrics, clock: Clock) -> None:
        self._listed = tuple(listed)
        self._metrics = metrics
        for each in self._listed:
            metrics.count_from_zero(source=each.settings.name)
        self._clock = clock
        self._log = get_logger(__name__)

    async def look_up(self, tenant_id: str, parameters: Parameters) -> Found:
        """The facts about one message; of two of one name the first source's."""
        asked = [each for each in self._listed if _serves(each.settings, tenant_id)]
        if not asked:
            return Found({})
        answers = await asyncio.gather(*(self._ask(each, parameters) for each in asked))
        facts: Facts = {}
        for answer in reversed(answers):
            facts |= answer or {}
        failed = (
            each.settings for each, answer in zip(asked, answers, strict=True) if answer is None
        )
        return Found(facts, tuple(failed))

    async def close(self) -> None:
        for each in self._listed:
            await each.source.close()

    async def _ask(self, listed: Listed, parameters: Parameters) -> Facts | None:
        """Its facts; None where it failed."""
        name = listed.settings.name
        if needed_by(listed.settings) - parameters.keys():
            self._count(name, LookupOutcome.NOT_ASKED)
            return {}
        started = self._clock.monotonic()
        try:
            facts = await listed.source.look_up(parameters)
        except FactsUnavailable as error:
            self._count(name, LookupOutcome.FAILED)
            self._log.warning("fact_source_failed", source=name, reason=error.message)
            return None
        finally:
            seconds = self._clock.monotonic() - started
            self._metrics.fact_lookup_duration_seconds.labels(name).observe(seconds)
        self._count(name, LookupOutcome.FOUND if facts else LookupOutcome.NOTHING)
        return facts

    def _count(self, source: str, outcome: LookupOutcome) -> None:
        self._metrics.fact_lookups.labels(source, outcome).inc()


def _serves(settings: FactSourceSettings, tenant_id: str) -> bool:
    return not settings.tenants or tenant_id in settings.tenants
