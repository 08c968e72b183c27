"""`forebay breakers`: which providers are left alone right now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from cyclopts import App

from deploy.cli.connection import command_settings, open_command_redis, open_ledger
from deploy.cli.options import AsJson
from deploy.cli.output import say, say_json, say_table
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.breakers.reading import BreakerReading

breakers = App(name="breakers", help="Circuit breakers of the providers: show and reset them.")

_NONE: Final = "No breaker has counted a call yet: all are closed."


@breakers.default
def show(*, as_json: AsJson = False) -> None:
    """Circuit breakers of the providers: show and reset them."""
    readings = asyncio.run(_read())
    if as_json:
        say_json([_shown(name, reading) for name, reading in readings])
        return
    say_table(
        ("provider/model", "state", "seconds left", "calls", "failed"),
        [
            (name, each.state, f"{each.seconds_left:.0f}", each.calls, each.failures)
            for name, each in readings
        ],
        empty=_NONE,
    )


@breakers.command
def reset(name: str, /, *, as_json: AsJson = False) -> None:
    """Close one at once and forget what it has counted.

    Parameters
    ----------
    name
        The provider's name, a slash and the model's, as `forebay breakers` shows it.
    """
    if not asyncio.run(_reset(name)):
        raise NotFound(f"There is no breaker named '{name}': forebay breakers lists them.")
    if as_json:
        say_json({"name": name, "state": "closed"})
    else:
        say(f"Closed: {name}.")


def _shown(name: str, reading: BreakerReading) -> dict[str, object]:
    return {
        "name": name,
        "state": reading.state,
        "seconds_left": reading.seconds_left,
        "calls": reading.calls,
        "failures": reading.failures,
    }


async def _read() -> list[tuple[str, BreakerReading]]:
    from shared.breakers.fleet import read_breakers

    settings = command_settings()
    async with open_command_redis(settings) as redis:
        return sorted([each async for each in read_breakers(redis, settings.breakers)], key=_name)


async def _reset(name: str) -> bool:
    from shared.breakers.fleet import reset_breaker

    settings = command_settings()
    # The ledger is opened for its audit log alone.
    async with open_ledger(settings), open_command_redis(settings) as redis:
        return await reset_breaker(redis, name)


def _name(each: tuple[str, BreakerReading]) -> str:
    return each[0]
