"""`forebay providers`: which of them fail, and by what."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.keys import duration
from deploy.cli.options import AsJson
from deploy.cli.output import complain, moment, say_json, say_table
from shared.clock import SystemClock
from shared.errors import RedisUnavailable

if TYPE_CHECKING:
    from shared.breakers.reading import BreakerReading
    from shared.persistence.provider_attempts import ProviderAttempts
    from shared.settings import Settings

_LONGEST: Final = timedelta(days=10_000)
_HEADINGS: Final = ("provider/model", "attempts", "taken", "breaker", "cooling", "failed by")


def providers(*, since: str = "1h", as_json: AsJson = False) -> None:
    """Providers: how their calls ended, the last error, the breaker.

    Counted are the booked attempts for messages that were accepted lately; an attempt is booked
    when its turn ends. `cooling` is how long nobody calls after a 429, of a provider with limits.

    Parameters
    ----------
    since
        How far back, such as 1h, 45m or 7d.
    """
    ago = min(duration(since), _LONGEST)
    rows = asyncio.run(_read(SystemClock().now() - ago))
    if as_json:
        say_json(rows)
        return
    say_table(_HEADINGS, [_cells(row) for row in rows], empty="No provider is configured or seen.")


async def _read(since: datetime) -> list[dict[str, Any]]:
    from shared.persistence.provider_attempts import ProviderAttempts, read_provider_attempts

    settings = command_settings()
    async with open_ledger(settings) as database:
        seen = {
            (each.provider, each.model): each
            for each in await read_provider_attempts(database, since=since)
        }
    named = [(each.name, model) for each in settings.providers for model in each.named_models]
    for provider, model in named:
        seen.setdefault((provider, model), ProviderAttempts(provider=provider, model=model))
    breakers, cooling = await _standing(settings, [f"{one}/{model}" for one, model in seen])
    order = {about: place for place, about in enumerate(named)}
    ordered = sorted(seen.items(), key=lambda each: (order.get(each[0], len(order)), each[0]))
    return [_row(found, breakers, cooling) for _, found in ordered]


async def _standing(
    settings: Settings, names: list[str]
) -> tuple[dict[str, BreakerReading], dict[str, float]]:
    """What Redis keeps; nothing where it does not answer, which is said."""
    from shared.breakers.fleet import read_breakers
    from workers.providers.limiting.outbound_limits import read_cooling

    try:
        async with open_command_redis(settings) as redis:
            breakers = {name: each async for name, each in read_breakers(redis, settings.breakers)}
            return breakers, await read_cooling(redis, names)
    except RedisUnavailable as error:
        complain(f"Breakers and cooling are left out. {error.message}")
        return {}, {}


def _row(
    found: ProviderAttempts, breakers: dict[str, BreakerReading], cooling: dict[str, float]
) -> dict[str, Any]:
    name = f"{found.provider}/{found.model}"
    breaker = breakers.get(name)
    return {
        "name": name,
        **asdict(found),
        "taken": found.attempts - sum(found.classes.values()),
        "breaker": breaker.state if breaker else None,
        "breaker_seconds_left": breaker.seconds_left if breaker else None,
        "cooling_seconds": cooling.get(name, 0.0),
    }


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    state, cooling = row["breaker"] or "closed", row["cooling_seconds"]
    left = row["breaker_seconds_left"]
    return (
        row["name"],
        row["attempts"],
        row["taken"],
        f"{state} {left:.0f} s" if left else state,
        f"{cooling:.0f} s" if cooling else "",
        _failures(row),
    )


def _failures(row: dict[str, Any]) -> str:
    if not row["classes"]:
        return ""
    most_first = sorted(row["classes"].items(), key=lambda each: -each[1])
    counts = ", ".join(f"{count} {name}" for name, count in most_first)
    last = f"{row['last_error_class']}: {row['last_error'] or 'without a word'}"
    return f"{counts}; last at {moment(row['last_error_at'])}, {last}"
