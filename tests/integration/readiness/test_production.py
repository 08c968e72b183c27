"""`forebay check --production`: each point goes by how it is, and by what happened last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict, replace
from sqlalchemy import insert

from deploy.cli.check.finding import CheckFinding, Level
from deploy.cli.check.production.chain import check_breakers, check_fallbacks, check_rehearsed
from deploy.cli.check.production.ground import Ground
from deploy.cli.check.production.judged import check_evaluations, check_no_chaos
from deploy.cli.check.production.money import check_cost_alerts
from deploy.cli.check.production.points import check_production
from deploy.cli.check.production.seen import check_traces, check_workers
from deploy.cli.check.production.told import check_alerts
from shared.alerts.clock import ClockRow
from shared.alerts.tables import CLOCK_ROW, alert_clock, alert_delivery
from shared.audit.audit_log import AuditLog
from shared.audit.entry import Actor
from shared.breakers.fleet import BreakerFleet
from shared.clock import ManualClock, SystemClock
from shared.evaluation.bootstrap import Estimate
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.kept_run import Figure, KeptRun
from shared.evaluation.tables import RunState
from shared.messages.lane import Lane
from shared.persistence.engine import Database
from shared.persistence.ledger.role_leases import RoleLease
from shared.persistence.ledger.worker_lease import WorkerLease, WorkerOffer
from shared.persistence.statements import transaction
from shared.persistence.tenants import TenantRepository
from shared.redis.client import open_redis
from shared.rehearsals.board import RehearsalBoard
from shared.rehearsals.rehearsal import Drill, RunningDrill
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings, RedisSettings
from shared.settings.turn.chaos import ChaosSettings
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings
from shared.status.workers_alive import DISPATCHER
from shared.webhooks.tables import DeliveryState
from tests.integration.persistence.conftest import clock, database, settings

__all__ = ["clock", "database", "settings"]

ANN = Actor("ann@desk", "command line")


def _model(name: str) -> ProviderSettings:
    return ProviderSettings(
        name=name, kind=ProviderKind.OPENAI_COMPATIBLE, base_url="http://127.0.0.1:9", model="m"
    )


RULES = ProviderSettings(name="rules", kind=ProviderKind.RULES)


@pytest.fixture
async def ground(database: Database, redis_url: str, clock: ManualClock) -> AsyncIterator[Ground]:
    seen = RedisSettings(url=ServerUrl(redis_url))
    redis = open_redis(seen)
    yield Ground(Settings(redis=seen, providers=(_model("one"),)), database, redis, clock)
    await redis.aclose()


def _with(ground: Ground, **sections: Any) -> Ground:
    return ground._replace(settings=replace(ground.settings, **sections))


async def test_who_is_behind_the_first_model(ground: Ground) -> None:
    async def level(*chain: ProviderSettings) -> Level:
        return (await check_fallbacks(_with(ground, providers=chain))).level

    assert await level(_model("one"), _model("two")) is Level.FINE
    assert await level(_model("one"), RULES) is Level.HINT
    assert await level(_model("one")) is Level.FAULT
    assert await level(RULES) is Level.FAULT


async def test_a_rehearsal_counts_by_what_came_of_it_and_by_its_age(
    ground: Ground, clock: ManualClock
) -> None:
    log = AuditLog(ground.database, clock)
    assert (await check_rehearsed(ground)).level is Level.FAULT
    await log.record(ANN, "rehearse", "primary-down")
    assert (await check_rehearsed(ground)).level is Level.FAULT
    await log.record(ANN, "rehearse", "primary-down", {"of": 1, "messages": 0, "in_time": 0})
    assert (await check_rehearsed(ground)).sentence.startswith("No message ended while primary-")
    await log.record(ANN, "rehearse", "primary-down", {"of": 1, "messages": 40, "in_time": 39})
    found = await check_rehearsed(ground)
    assert (found.level, "39 of 40" in found.sentence) == (Level.FAULT, True)
    await log.record(ANN, "rehearse", "primary-down", {"of": 1, "messages": 40, "in_time": 40})
    assert (await check_rehearsed(ground)).level is Level.FINE
    clock.advance(timedelta(days=91).total_seconds())
    assert (await check_rehearsed(ground)).level is Level.HINT


async def test_breakers_go_by_what_redis_keeps(ground: Ground) -> None:
    assert (await check_breakers(ground)).level is Level.HINT
    fleet = BreakerFleet(ground.redis, BreakerSettings(), SystemClock())
    await fleet.report("one/m", outcomes="s")
    assert (await check_breakers(ground)).level is Level.FINE
    await fleet.report("one/m", outcomes="f" * 20)
    assert "one/m" in (await check_breakers(ground)).sentence
    await fleet.close()


async def test_money_is_watched_where_a_tenant_or_all_have_a_budget(ground: Ground) -> None:
    tenants = TenantRepository(ground.database, ground.clock)
    await tenants.create("acme")
    assert (await check_cost_alerts(ground)).level is Level.FAULT
    in_total = _with(ground, alerts=AlertSettings(daily_budget=Decimal(100)))
    assert (await check_cost_alerts(in_total)).level is Level.HINT
    capped = replace(ground.settings.limits, daily_budget=Decimal(5))
    assert (await check_cost_alerts(_with(ground, limits=capped))).level is Level.FINE


async def test_nobody_is_told_without_a_sink(ground: Ground) -> None:
    assert (await check_alerts(ground)).level is Level.FAULT


async def test_each_sink_goes_by_the_last_that_it_was_told_be_it_a_test(
    ground: Ground, clock: ManualClock
) -> None:
    sinks = tuple(
        AlertSinkSettings(name=name, kind=AlertSinkKind.COMMAND, argv=("true",))
        for name in ("ops", "chat")
    )
    log, ground = AuditLog(ground.database, clock), _with(ground, alerts=AlertSettings(sinks=sinks))

    async def told() -> tuple[Level, str]:
        found = await check_alerts(ground)
        return found.level, found.sentence

    assert (await told())[1] == "No worker looks at the rules. See: forebay alerts list"
    await _look(ground)
    level, said = await told()
    assert (level, "reaches ops, chat nobody knows yet" in said) == (Level.HINT, True)
    await log.record(ANN, "alerts.test", "", {"of": 1, "took": {"ops": True, "chat": False}})
    level, said = await told()
    assert (level, said.startswith("The sink chat was not reached")) == (Level.FAULT, True)
    clock.advance(1)
    await log.record(ANN, "alerts.test", "chat", {"of": 3, "took": {"chat": True}})
    assert (await told())[0] is Level.FINE
    clock.advance(1)
    await _deliver(ground, "ops", error="It answered 500.")
    level, said = await told()
    assert (level, "The sink ops was not reached 0 seconds ago: It" in said) == (Level.FAULT, True)


async def _look(ground: Ground) -> None:
    """A worker's round."""
    async with transaction(ground.database.durable) as connection:
        row = {"id": CLOCK_ROW, **asdict(ClockRow(read_at=ground.clock.now()))}
        await connection.execute(insert(alert_clock), row)


async def _deliver(ground: Ground, sink: str, *, error: str) -> None:
    row = {"message_id": "amsg_1", "sink": sink, "state": DeliveryState.FAILED, "tries": 1}
    async with transaction(ground.database.durable) as connection:
        ended = {"ended_at": ground.clock.now(), "reason": error}
        await connection.execute(insert(alert_delivery), row | ended)


async def test_traces_arrive_where_the_collector_takes_an_export(
    ground: Ground, serve: Callable[[int], Any]
) -> None:
    assert (await check_traces(ground)).level is Level.FAULT
    for status, level in ((200, Level.FINE), (401, Level.FAULT)):
        async with serve(status) as url:
            there = replace(ground.settings.telemetry, traces_endpoint=url)
            assert (await check_traces(_with(ground, telemetry=there))).level is level
    assert (await check_traces(_with(ground, telemetry=there))).level is Level.FAULT


async def test_one_worker_is_a_hint_and_none_a_fault(ground: Ground) -> None:
    assert (await check_workers(ground)).level is Level.FAULT
    lead = RoleLease(ground.database, ground.clock, role=DISPATCHER, holder="w1", lease_seconds=60)
    await lead.take()
    for number, level in ((1, Level.HINT), (2, Level.FINE)):
        await WorkerLease(
            ground.database,
            ground.clock,
            worker=f"w{number}",
            lease_seconds=60,
            offer=WorkerOffer(4, list(Lane)),
        ).extend()
        assert (await check_workers(ground)).level is level


async def test_evaluations_go_by_the_last_run_that_ended(
    ground: Ground, clock: ManualClock
) -> None:
    assert (await check_evaluations(ground)).level is Level.FAULT
    runs = EvaluationCatalogue(ground.database)
    run = KeptRun(
        id="run_1",
        set_name="accounts",
        set_digest="d",
        version="v",
        began_at=clock.now(),
        cases=10,
    )
    await runs.begin(run)
    assert (await check_evaluations(ground)).level is Level.FAULT
    scores = {Figure.TASK_COMPLETION: Estimate(0.9, 0.7, 1.0)}
    ended = replace(run, state=RunState.COMPLETED, finished_at=clock.now(), scores=scores)
    await runs.end(ended)
    found = await check_evaluations(ground)
    assert (found.level, "accounts" in found.sentence, "90%" in found.sentence) == (
        Level.FINE,
        True,
        True,
    )
    clock.advance(timedelta(days=8).total_seconds())
    assert (await check_evaluations(ground)).level is Level.HINT


async def test_faults_on_purpose_are_no_production(ground: Ground) -> None:
    assert (await check_no_chaos(ground)).level is Level.FINE
    board = RehearsalBoard(ground.redis)
    await board.begin(RunningDrill(Drill.PRIMARY_SLOW, 1, ()), seconds=60)
    assert "primary-slow" in (await check_no_chaos(ground)).sentence
    await board.end()
    assert (await check_no_chaos(_with(ground, chaos=ChaosSettings(enabled=True)))).level is (
        Level.FAULT
    )


async def test_there_is_a_line_for_every_point_and_one_where_no_server_answers(
    ground: Ground, settings: LedgerSettings
) -> None:
    found = await check_production(_with(ground, ledger=settings).settings)
    assert [each.part for each in found] == [
        *("ledger", "workers", "breakers", "fallbacks", "rehearsed", "limits"),
        *("cost alerts", "alerts", "traces", "evaluations", "chaos"),
    ]
    nowhere = LedgerSettings(url=ServerUrl("postgresql+psycopg://x@127.0.0.1:1/x"))
    (only,) = await check_production(_with(ground, ledger=nowhere).settings)
    assert only == CheckFinding("production", Level.FAULT, only.sentence)
