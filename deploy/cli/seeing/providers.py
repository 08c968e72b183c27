"""`forebay providers`: which of them fail, and by what."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.keys import duration
from deploy.cli.options import AsJson
from deploy.cli.output import complain, moment, say_json, say_table
from shared.clock import SystemClock
from shared.errors import RedisUnavailable
from shared.settings.deployment import deployment_name

if TYPE_CHECKING:
    from shared.breakers.reading import BreakerReading
    from shared.persistence.provider_attempts import ProviderAttempts
    from shared.settings import Settings
    from workers.providers.deployments.standing import DeploymentStanding

_LONGEST: Final = timedelta(days=10_000)
_HEADINGS: Final = (
    "provider/model", "attempts", "taken", "breaker", "cooling", "in flight", "failed by"
)  # fmt: skip
_About = tuple[str, str | None, str]
"""Provider, deployment, model."""


def providers(*, since: str = "1h", as_json: AsJson = False) -> None:
    """Providers: how their calls ended, the last error, the breaker.

    Counted are the booked attempts for messages that were accepted lately; an attempt is booked
    when its turn ends. `cooling` is how long nobody calls after a 429, of a provider with limits,
    or of a deployment, which also rests where its key was refused. `in flight` are the calls under
    way at a deployment, and their tokens.

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
            (each.provider, each.deployment, each.model): each
            for each in await read_provider_attempts(database, since=since)
        }
    named = list(_named(settings))
    for about in named:
        provider, deployment, model = about
        new = ProviderAttempts(provider=provider, deployment=deployment, model=model)
        seen.setdefault(about, new)
    breakers, cooling, loads = await _standing(settings, list(seen))
    order = {about: place for place, about in enumerate(named)}
    ordered = sorted(seen.items(), key=lambda each: (order.get(each[0], len(order)), str(each[0])))
    return [_row(found, breakers, cooling, loads.get(about)) for about, found in ordered]


def _named(settings: Settings) -> Iterator[_About]:
    for provider in settings.providers:
        for model in provider.named_models:
            for each in provider.deployments:
                yield provider.name, each.name, model
            if not provider.deployments:
                yield provider.name, None, model


def _name(about: _About) -> str:
    provider, deployment, model = about
    return f"{deployment_name(provider, deployment)}/{model}"


async def _standing(
    settings: Settings, about: list[_About]
) -> tuple[dict[str, BreakerReading], dict[str, float], dict[_About, DeploymentStanding]]:
    """What Redis keeps; nothing where it does not answer, which is said."""
    from shared.breakers.fleet import read_breakers
    from workers.providers.deployments.standing import read_standing
    from workers.providers.limiting.outbound_limits import read_cooling

    loads: dict[_About, DeploymentStanding] = {}
    try:
        async with open_command_redis(settings) as redis:
            breakers = {name: each async for name, each in read_breakers(redis, settings.breakers)}
            for provider, model in {(one, model) for one, place, model in about if place}:
                for name, each in (await read_standing(redis, provider, model)).items():
                    loads[provider, name, model] = each
            cooling = await read_cooling(redis, [_name(each) for each in about])
            return breakers, cooling, loads
    except RedisUnavailable as error:
        complain(f"Breakers and cooling are left out. {error.message}")
        return {}, {}, {}


def _row(
    found: ProviderAttempts,
    breakers: dict[str, BreakerReading],
    cooling: dict[str, float],
    load: DeploymentStanding | None,
) -> dict[str, Any]:
    name = _name((found.provider, found.deployment, found.model))
    breaker = breakers.get(name)
    return {
        "name": name,
        **asdict(found),
        "taken": found.attempts - sum(found.classes.values()),
        "breaker": breaker.state if breaker else None,
        "breaker_seconds_left": breaker.seconds_left if breaker else None,
        "cooling_seconds": load.cooling_seconds if load else cooling.get(name, 0.0),
        "refused_seconds": load.refused_seconds if load else 0.0,
        "calls_in_flight": load.calls if load else None,
        "tokens_in_flight": load.tokens if load else None,
    }


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    state = row["breaker"] or "closed"
    left = row["breaker_seconds_left"]
    return (
        row["name"],
        row["attempts"],
        row["taken"],
        f"{state} {left:.0f} s" if left else state,
        _rest(row),
        f"{row['calls_in_flight']}: {row['tokens_in_flight']}" if row["calls_in_flight"] else "",
        _failures(row),
    )


def _rest(row: dict[str, Any]) -> str:
    if row["refused_seconds"] > row["cooling_seconds"]:
        return f"{row['refused_seconds']:.0f} s, key refused"
    return f"{row['cooling_seconds']:.0f} s" if row["cooling_seconds"] else ""


def _failures(row: dict[str, Any]) -> str:
    if not row["classes"]:
        return ""
    most_first = sorted(row["classes"].items(), key=lambda each: -each[1])
    counts = ", ".join(f"{count} {name}" for name, count in most_first)
    last = f"{row['last_error_class']}: {row['last_error'] or 'without a word'}"
    return f"{counts}; last at {moment(row['last_error_at'])}, {last}"
