"""The state of the system, out of a real ledger and a real Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import insert

from shared.alerts.state import AlertState
from shared.alerts.tables import alert
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.messages.lane import Lane
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.ledger.worker_lease import WorkerLease, WorkerOffer
from shared.persistence.statements import transaction
from shared.redis.client import open_redis
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from shared.settings.watching.alert_rules import AlertSeverity
from shared.status.system_state import SystemState
from shared.status.system_watch import SystemWatch
from shared.status.workers_alive import DISPATCHER
from tests.integration.persistence.conftest import database, settings

__all__ = ["database", "settings"]

CLOCK = SystemClock()
MODEL = ProviderSettings(
    name="primary", kind=ProviderKind.OPENAI_COMPATIBLE, base_url="http://127.0.0.1:9", model="m"
)


async def _well() -> bool:
    return True


@asynccontextmanager
async def _watch(database: Database, redis_url: str) -> AsyncIterator[SystemWatch]:
    seen = RedisSettings(url=ServerUrl(redis_url))
    redis = open_redis(seen)
    try:
        tree = Settings(redis=seen, providers=(MODEL,), breakers=BreakerSettings(open_seconds=600))
        yield SystemWatch(tree, database, redis, CLOCK, broker_is_well=_well)
    finally:
        await redis.aclose()


async def _work(database: Database, *lanes: Lane) -> None:
    offer = WorkerOffer(8, lanes)
    await WorkerLease(database, CLOCK, worker="w", lease_seconds=600, offer=offer).extend()


async def _lead(database: Database) -> None:
    lease = RoleLease(database, CLOCK, role=DISPATCHER, holder="w", lease_seconds=600)
    assert await lease.take()


async def _parts(watch: SystemWatch) -> dict[str, SystemState]:
    return {each.part: each.state for each in (await watch.look()).findings}


async def test_nobody_answers_until_a_worker_lives_that_reads_every_lane_and_one_leads(
    database: Database, redis_url: str
) -> None:
    async with _watch(database, redis_url) as watch:
        assert await _parts(watch) == {"workers": SystemState.DOWN}
        await _work(database, Lane.INTERACTIVE, Lane.STANDARD)
        assert {*await _parts(watch)} == {"lane batch", "dispatcher"}
        await _lead(database)
        assert await _parts(watch) == {"lane batch": SystemState.DEGRADED}
        second = WorkerLease(database, CLOCK, worker="w2", lease_seconds=600)
        await second.extend()
        found = await watch.look()
        assert (found.state, found.findings) == (SystemState.HEALTHY, [])


async def test_a_worker_whose_lease_has_ended_is_dead(database: Database, redis_url: str) -> None:
    await WorkerLease(database, CLOCK, worker="w", lease_seconds=-1).extend()
    async with _watch(database, redis_url) as watch:
        assert await _parts(watch) == {"workers": SystemState.DOWN}


async def test_all_model_breakers_open_is_degraded(database: Database, redis_url: str) -> None:
    await _work(database, *Lane)
    await _lead(database)
    async with _watch(database, redis_url) as watch:
        redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
        fleet = BreakerFleet(redis, BreakerSettings(open_seconds=600), CLOCK)
        await fleet.report("primary/m", outcomes="ffffffff")
        assert await _parts(watch) == {"models": SystemState.DEGRADED}
        await fleet.close()
        await redis.aclose()


async def test_to_look_costs_no_more_where_redis_is_full(
    database: Database, redis_url: str
) -> None:
    async with _watch(database, redis_url) as watch:
        redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
        await watch.look()
        asked = await redis.info("commandstats")
        await redis.mset({f"forebay:full:{number}": "x" for number in range(3_000)})
        await watch.look()
        now = await redis.info("commandstats")
        await redis.aclose()
    assert now.get("cmdstat_scan") == asked.get("cmdstat_scan")


async def test_a_critical_alert_that_fires_is_degraded_and_others_are_not(
    database: Database, redis_url: str
) -> None:
    await _work(database, *Lane)
    await _lead(database)
    firing = {"state": AlertState.FIRING, "since": CLOCK.now(), "value": 1.0, "flaps": False}
    rows = [
        {"fingerprint": rule, "rule": rule, "labels": "{}", "summary": f"{rule} is wrong."}
        | {"severity": severity, "began_at_seconds": 0.0, **firing}
        for rule, severity in (("bad", AlertSeverity.CRITICAL), ("odd", AlertSeverity.WARNING))
    ]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(alert), rows)
    async with _watch(database, redis_url) as watch:
        (found,) = (await watch.look()).findings
    assert (found.part, found.state) == ("alert bad", SystemState.DEGRADED)
    assert found.sentence.startswith("bad is wrong.")


@pytest.mark.parametrize("away", ["redis", "ledger"])
async def test_a_server_that_is_away_is_a_finding_and_no_error(
    away: str, database: Database, redis_url: str
) -> None:
    nowhere = "postgresql+psycopg://forebay@127.0.0.1:1/forebay"
    await _work(database, *Lane)
    await _lead(database)
    gone = open_database(LedgerSettings(url=ServerUrl(nowhere)))
    here = (gone, redis_url) if away == "ledger" else (database, "redis://127.0.0.1:1/0")
    async with _watch(*here) as watch:
        expected = SystemState.DOWN if away == "ledger" else SystemState.DEGRADED
        assert await _parts(watch) == {away: expected}
    await gone.close()
