"""What budgets, forecasts and anomalies say of figures that are folded."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace
from sqlalchemy import insert

from shared.alerts.figures.figure_table import figure_table
from shared.clock import ManualClock
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tenants import TenantRepository
from shared.redis.client import open_redis
from shared.rollups.cubes import Resolution
from shared.rollups.tables import EVERYBODY, rollup_attempt, rollup_door
from shared.settings import Settings
from shared.settings.watching.alert_rules import AlertFigure
from tests.integration.patience import patient_settings

from .read_figures import DOLLAR, NOON, PLAN, Figures, clock, figures

__all__ = ["clock", "figures"]


async def _spent(
    database: Database, resolution: Resolution, at: datetime, tenant_id: str, dollars: float
) -> None:
    names = dict.fromkeys(("provider", "model", "lane", "error_class", "variant"), "")
    row = {"seconds": resolution, "starts_at": at, "tenant_id": tenant_id, **names}
    async with transaction(database.durable) as connection:
        await connection.execute(
            insert(rollup_attempt), row | {"cost_nanos": round(dollars * DOLLAR)}
        )


async def test_budgets_and_what_the_day_will_have_cost(
    figures: Figures, database: Database, clock: ManualClock
) -> None:
    owner = await TenantRepository(database, clock).create("acme", PLAN)
    await TenantRepository(database, clock).create("without a cap")
    midnight = NOON.replace(hour=0, minute=0)
    await _spent(database, Resolution.DAY, midnight, owner.id, 6)
    await _spent(database, Resolution.DAY, midnight, EVERYBODY, 7)
    await _spent(database, Resolution.DAY, midnight - timedelta(days=1), owner.id, 50)
    for quarter in range(12):
        # One quarter of an hour was ten times as dear, and is no rate.
        minute = NOON - timedelta(minutes=15 * quarter + 5)
        await _spent(database, Resolution.MINUTE, minute, owner.id, 1 if quarter == 3 else 0.1)
    shares = await figures.values(AlertFigure.BUDGET_SHARE)
    assert shares == {owner.id: pytest.approx(0.6), EVERYBODY: pytest.approx(0.07)}
    forecast = await figures.values(AlertFigure.BUDGET_FORECAST)
    assert forecast[owner.id] == pytest.approx((6 + 0.1 * 4 * 11.5) / 10)
    (told, _) = (await figures.read(AlertFigure.BUDGET_SHARE)).observations
    assert "acme" in told.words.values() or told.labels["tenant"] == EVERYBODY


async def test_who_is_refused_for_the_budget_has_spent_it(
    figures: Figures, database: Database, clock: ManualClock
) -> None:
    tenants = TenantRepository(database, clock)
    refused, before, limited = [await tenants.create(name, PLAN) for name in ("a", "b", "c")]
    for owner, minutes, reason in (
        (refused, 5, "budget_exhausted"),
        (before, 30, "budget_exhausted"),
        (limited, 5, "tenant_requests"),
    ):
        minute = NOON - timedelta(minutes=minutes)
        row = {"seconds": Resolution.MINUTE, "starts_at": minute, "tenant_id": owner.id}
        async with transaction(database.durable) as connection:
            names = {"lane": "standard", "reason": reason, "refused": 1}
            await connection.execute(insert(rollup_door), row | names)
    shares = await figures.values(AlertFigure.BUDGET_SHARE)
    assert shares == {refused.id: 1.0, before.id: 0.0, limited.id: 0.0, EVERYBODY: 0.0}


async def test_who_has_no_cap_any_more_spends_nothing_of_it(
    database: Database, clock: ManualClock, redis_url: str
) -> None:
    redis = open_redis(patient_settings(redis_url))
    figures = Figures(figure_table(Settings(), database, redis, clock))
    found = await figures.read(AlertFigure.BUDGET_SHARE)
    assert (found.observations, found.absent, found.knows) == ([], 0.0, False)
    await redis.aclose()


async def test_a_cap_of_next_to_nothing_keeps_no_other_figure_from_being_read(
    figures: Figures, database: Database, clock: ManualClock
) -> None:
    least = replace(PLAN, daily_budget=Decimal("1e-400"))
    owner = await TenantRepository(database, clock).create("tiny", least)
    shares = await figures.values(AlertFigure.BUDGET_SHARE)
    assert shares == {owner.id: 0.0, EVERYBODY: 0.0}


@pytest.mark.parametrize(
    ("days", "now", "deviates"), [(5, 1.0, 0.0), (5, 40.0, None), (2, 40.0, None)]
)
async def test_an_anomaly_is_far_from_the_same_hour_of_other_days(
    figures: Figures, database: Database, days: int, now: float, deviates: float | None
) -> None:
    hour = NOON.replace(minute=0) - timedelta(hours=1)
    for day in range(1, days + 1):
        cost = 1.0 + 0.1 * (day % 3 - 1)
        await _spent(database, Resolution.HOUR, hour - timedelta(days=day), "ten_1", cost)
    await _spent(database, Resolution.HOUR, hour, "ten_1", now)
    found = await figures.values(AlertFigure.COST_DEVIATION)
    if days < 3:
        assert found == {}
    elif deviates is None:
        assert found["ten_1"] > 100
    else:
        assert found["ten_1"] == pytest.approx(deviates)


async def test_this_hour_counts_as_soon_as_it_is_above_what_is_usual(
    figures: Figures, database: Database
) -> None:
    hour = NOON.replace(minute=0)
    for day in range(1, 5):
        await _spent(database, Resolution.HOUR, hour - timedelta(days=day), "ten_1", 1)
    assert await figures.values(AlertFigure.COST_DEVIATION) == {"ten_1": 0.0}
    await _spent(database, Resolution.HOUR, hour, "ten_1", 2)
    assert (await figures.values(AlertFigure.COST_DEVIATION))["ten_1"] == pytest.approx(20)
