"""`forebay status`: in what state the system is, and why."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from deploy.cli.connection import command_settings
from deploy.cli.options import AsJson
from deploy.cli.output import moment, say, say_json
from shared.clock import SystemClock

if TYPE_CHECKING:
    from shared.settings.servers import BrokerSettings
    from shared.status.system_state import SystemStatus
    from shared.status.system_watch import SystemWatch

_PATIENCE_SECONDS: Final = 2.0

Seconds = Annotated[float, Parameter(validator=Number(gte=0.5, lte=3_600))]


def status(*, watch: bool = False, every: Seconds = 2.0, as_json: AsJson = False) -> int:
    """In what state the system is, and why: healthy, degraded or down.

    Exit code 0 is healthy and 1 is anything else. `GET /status` of a door says the same.

    Parameters
    ----------
    watch
        Look again and again, and show each change, until Ctrl-C.
    every
        Seconds between two looks.
    """
    if watch:
        asyncio.run(_watch(every, as_json=as_json))
        return 0
    found = asyncio.run(_look())
    _show(found, as_json=as_json)
    return 0 if found.is_healthy else 1


def _show(found: SystemStatus, *, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    say(f"{found.state}, at {moment(found.at)}")
    for each in found.findings:
        say(f"  {each.state}: {each.sentence}")


async def _look() -> SystemStatus:
    async with _opened() as watch:
        return await watch.look()


async def _watch(every: float, *, as_json: bool) -> None:
    last = None
    async with _opened() as watch:
        while True:
            found = await watch.look()
            # Sentences count seconds down: what is the matter is what has changed or not.
            if (now := [(each.part, each.state) for each in found.findings]) != last:
                _show(found, as_json=as_json)
                last = now
            await asyncio.sleep(every)


@asynccontextmanager
async def _opened() -> AsyncIterator[SystemWatch]:
    from shared.persistence.engine import open_database
    from shared.redis.client import open_redis
    from shared.status.system_watch import SystemWatch

    settings = command_settings()
    database, redis = open_database(settings.ledger), open_redis(settings.redis)

    async def broker_is_well() -> bool:
        return await asyncio.to_thread(_answers, settings.broker)

    try:
        yield SystemWatch(settings, database, redis, SystemClock(), broker_is_well=broker_is_well)
    finally:
        await redis.aclose()
        await database.close()


def _answers(broker: BrokerSettings) -> bool:
    from shared.queueing.broker_connection import connect_broker, dial

    with connect_broker(broker, patience_seconds=_PATIENCE_SECONDS) as connection:
        try:
            dial(connection)
        except connection.connection_errors:
            return False
    return True
