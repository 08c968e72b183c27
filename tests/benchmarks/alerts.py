"""What a round of alerts costs the worker that does it, with many tenants that have budgets.

A figure is the CPU of this process, a mean over rounds enough for what is read once in five minutes
to count for its part. It has 1 % of a core, of the 15 seconds between two rounds. On SQLite the
ledger's own work is in it. Beside it stands a round for ten tenants.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import insert

from shared.alerts.alert_round import AlertRound
from shared.alerts.catalogue import AlertCatalogue
from shared.alerts.figures.figure_table import figure_table
from shared.alerts.rules import rules_of
from shared.clock import ManualClock
from shared.messages.tenant import Plan
from shared.persistence.engine import Database, open_database
from shared.persistence.statements import transaction
from shared.persistence.tables import tenant
from shared.redis.client import open_redis
from shared.rollups.cubes import Resolution
from shared.rollups.tables import rollup_attempt
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row

LIMIT_MS: Final = 150.0
_TENANTS: Final = 1_000
_FEW: Final = 10
_ROUNDS: Final = 40
_NOW: Final = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
_DOLLAR: Final = 1_000_000_000
_SETTINGS: Final = Settings(
    alerts=AlertSettings(
        sinks=(AlertSinkSettings(name="ops", kind=AlertSinkKind.COMMAND, argv=("true",)),)
    )
)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Where nothing fires, and where every third tenant is above each bound."""
    for ledger in Ledger:
        for spent in (0.1, 2.0):
            say(f"{_TENANTS:,} tenants that spent {spent:.0%} on {ledger}")
            many, firing = _cost(stage.ground(Broker.REDIS, ledger), _TENANTS, spent)
            few, _ = _cost(stage.ground(Broker.REDIS, ledger), _FEW, spent)
            yield Row(
                what=f"a round of {_TENANTS:,} tenants, {firing:,} alerts (stock: {_FEW} tenants)",
                on=ledger,
                unit="ms",
                ours=many,
                stock=few,
                limit=LIMIT_MS,
            )


def _cost(ground: Ground, tenants: int, spent: float) -> tuple[float, int]:
    return asyncio.run(_measured(ground, tenants, spent))


async def _measured(ground: Ground, tenants: int, spent: float) -> tuple[float, int]:
    """Milliseconds of CPU a round, and how many alerts there are then."""
    database, clock = (
        open_database(LedgerSettings(url=ServerUrl(ground.ledger_url))),
        ManualClock(_NOW),
    )
    redis = open_redis(RedisSettings(url=ServerUrl(ground.redis_url)))
    try:
        await _fill(database, tenants, spent)
        figures = figure_table(_SETTINGS, database, redis, clock)
        rules = rules_of(_SETTINGS.alerts)
        leader = AlertRound(database, rules, figures, _SETTINGS.alerts, clock)
        await leader()
        began = time.process_time()
        for _ in range(_ROUNDS):
            clock.advance(_SETTINGS.alerts.every_seconds)
            await leader()
        taken = (time.process_time() - began) / _ROUNDS * 1_000
        return taken, len(await AlertCatalogue(database, clock).active())
    finally:
        await redis.aclose()
        await database.close()


async def _fill(database: Database, tenants: int, spent: float) -> None:
    plan = Plan(100, 100, 100, 100, 100, Decimal(10))
    text, ids = msgspec.json.encode(plan).decode(), [f"ten_{n}" for n in range(tenants)]
    owners = [{"id": id_, "name": id_, "plan": text, "created_at": _NOW} for id_ in ids]
    hour = _NOW.replace(minute=0)
    times = [(Resolution.DAY, _NOW.replace(hour=0, minute=0))]
    times += [
        (Resolution.HOUR, hour - timedelta(days=day, hours=back))
        for day in range(15)
        for back in range(2)
    ]
    times += [(Resolution.MINUTE, _NOW - timedelta(minutes=4 * n)) for n in range(45)]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(tenant), owners)
        for resolution, at in times:
            rows = [
                _row(id_, resolution, at, spent if n % 3 == 0 else 0.1) for n, id_ in enumerate(ids)
            ]
            await connection.execute(insert(rollup_attempt), rows)


def _row(tenant_id: str, resolution: Resolution, at: datetime, spent: float) -> dict[str, Any]:
    names = dict.fromkeys(("provider", "model", "lane", "error_class", "variant"), "")
    share = {Resolution.DAY: 1.0, Resolution.HOUR: 0.1, Resolution.MINUTE: 0.01}[resolution]
    cost = round(10 * spent * share * _DOLLAR)
    when = {"seconds": int(resolution), "starts_at": at, "tenant_id": tenant_id}
    return {**names, **when, "attempts": 10, "input_tokens": 1_000, "cost_nanos": cost}
