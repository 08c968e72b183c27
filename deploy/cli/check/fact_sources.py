"""Can the fact sources be asked? A query runs without rows; an HTTP server is not called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from deploy.cli.check.finding import CheckFinding, fault, fine, hint
from shared.settings.turn.fact_source import FactSourceSettings, SourceFailure
from shared.settings.turn.facts import FactSettings

if TYPE_CHECKING:
    import aiohttp


async def check_fact_sources(settings: FactSettings) -> list[CheckFinding]:
    """One finding for each whose address is known here, in the order of the settings."""
    known = [each for each in settings.sources if each.url is not None]
    if not known:
        return []
    from workers.fact_sources.http_source import open_fact_session

    async with open_fact_session() as session:
        return list(await asyncio.gather(*(_check(each, session) for each in known)))


async def _check(settings: FactSourceSettings, session: aiohttp.ClientSession) -> CheckFinding:
    """A fault only where messages would not be answered without it."""
    from workers.fact_sources.building import build_source
    from workers.fact_sources.source import FactsUnavailable

    source = build_source(settings, session)
    try:
        works = await source.probe()
    except FactsUnavailable as error:
        said = f"'{settings.name}' {error.message}."
        if settings.on_failure is SourceFailure.ANSWER:
            return hint("facts", f"{said} Until then answers are not held against its facts.")
        return fault("facts", f"{said} Until then no message is answered (on_failure).")
    finally:
        await source.close()
    return fine("facts", f"'{settings.name}': {works}.")
