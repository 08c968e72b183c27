"""From the settings to fact sources."""

from __future__ import annotations

from typing import assert_never

import aiohttp

from shared.clock import Clock
from shared.settings.turn.fact_source import FactSourceKind, FactSourceSettings
from shared.settings.turn.facts import FactSettings
from shared.telemetry.metrics import Metrics
from workers.fact_sources.http_source import HttpSource
from workers.fact_sources.lookup import FactLookup, Listed
from workers.fact_sources.source import FactSource
from workers.fact_sources.sql_source import SqlSource


def build_fact_lookup(
    settings: FactSettings, session: aiohttp.ClientSession, *, metrics: Metrics, clock: Clock
) -> FactLookup:
    """The sources of a worker, in the order of the settings; none connects before it is asked."""
    listed = [Listed(source, build_source(source, session)) for source in settings.sources]
    return FactLookup(listed, metrics=metrics, clock=clock)


def build_source(settings: FactSourceSettings, session: aiohttp.ClientSession) -> FactSource:
    """One source by its kind."""
    match settings.kind:
        case FactSourceKind.SQL:
            return SqlSource(settings)
        case FactSourceKind.HTTP:
            return HttpSource(settings, session)
        case _:
            assert_never(settings.kind)
