"""What figures say of a ledger, and of one that has nothing yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import insert

from shared.alerts.deciding import FigureReading
from shared.alerts.figures.figure_table import FigureTable, figure_table
from shared.alerts.rule import AlertRule
from shared.clock import ManualClock
from shared.feedback.tables import feedback
from shared.messages.dead_letter import DeadReason
from shared.messages.tenant import Plan
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import DeadLetterState, dead_letter
from shared.persistence.tenants import TenantRepository
from shared.redis.client import open_redis
from shared.rollups.cubes import Resolution
from shared.rollups.delta import Delta
from shared.rollups.tables import EVERYBODY, rollup_attempt
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.watching.alert_rules import AlertFigure
from shared.settings.watching.alerts import AlertSettings
from tests.integration.patience import patient_settings
from tests.integration.rollups.conftest import append
from tests.integration.rollups.facts import attempt_fact, door_sums, turn_fact

NOON = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
PLAN = Plan(
    requests_per_minute=1,
    tokens_per_minute=1,
    user_requests_per_minute=1,
    user_tokens_per_minute=1,
    max_in_flight=1,
    daily_budget=Decimal(10),
)
DOLLAR = 1_000_000_000
SETTINGS = Settings(
    alerts=AlertSettings(daily_budget=Decimal(100)),
    providers=(
        ProviderSettings(name="p", kind=ProviderKind.OPENAI_COMPATIBLE, base_url="", model="m"),
    ),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


class Figures:
    """Reads one figure after the other."""

    def __init__(self, table: FigureTable) -> None:
        self._table = table

    async def read(self, figure: AlertFigure, window_seconds: float = 600) -> FigureReading:
        rule = AlertRule(name="rule", figure=figure, window_seconds=window_seconds)
        return (await self._table.read([rule]))["rule"]

    async def values(self, figure: AlertFigure, window_seconds: float = 600) -> dict[str, Any]:
        """By the value of their label."""
        found = await self.read(figure, window_seconds)
        return {"".join(each.labels.values()): each.value for each in found.observations}


@pytest.fixture
async def figures(database: Database, clock: ManualClock, redis_url: str) -> Any:
    redis: Redis = open_redis(patient_settings(redis_url))
    yield Figures(figure_table(SETTINGS, database, redis, clock))
    await redis.aclose()


async def test_without_data_shares_are_unknown_and_counts_are_none(figures: Figures) -> None:
    unknown = {
        AlertFigure.ERROR_RATE,
        AlertFigure.LATENCY_SECONDS,
        AlertFigure.DEADLINE_BURN,
        AlertFigure.LATENCY_BURN,
        AlertFigure.REFUSAL_RATE,
        AlertFigure.UNKNOWN_COST,
        AlertFigure.CACHED_TOKENS_CHANGE,
        AlertFigure.COST_DEVIATION,
        AlertFigure.MESSAGE_DEVIATION,
        AlertFigure.SATISFACTION,
        AlertFigure.JUDGE_SCORE,
    }
    for figure in AlertFigure:
        assert (await figures.read(figure)).knows is (figure not in unknown), figure


async def test_shares_of_what_ended_and_of_what_was_refused(
    figures: Figures, database: Database
) -> None:
    lately = NOON - timedelta(minutes=2)
    good = [turn_fact(lately, lane="interactive", latency_ms=500)] * 30
    bad = [
        turn_fact(lately, lane="interactive", state="failed", in_deadline=0, latency_ms=20_000)
    ] * 10
    doors = [door_sums(lately, count=30), door_sums(lately, reason="budget", count=10)]
    await append(database, Delta(turns=(*good, *bad), additions=tuple(doors)))
    assert await figures.values(AlertFigure.ERROR_RATE) == {"": 0.25}
    assert await figures.values(AlertFigure.REFUSAL_RATE) == {"budget": 0.25}
    assert await figures.values(AlertFigure.LATENCY_SECONDS) == {"": pytest.approx(5.375)}
    assert await figures.values(AlertFigure.DEADLINE_BURN, 3_600) == {"": pytest.approx(25)}
    assert await figures.values(AlertFigure.LATENCY_BURN, 3_600) == {"": pytest.approx(5)}


async def test_a_burn_that_is_over_is_less_by_its_short_window(
    figures: Figures, database: Database
) -> None:
    before = [turn_fact(NOON - timedelta(minutes=40), in_deadline=0)] * 50
    lately = [turn_fact(NOON - timedelta(minutes=2))] * 50
    await append(database, Delta(turns=(*before, *lately)))
    assert await figures.values(AlertFigure.DEADLINE_BURN, 3_600) == {"": 0.0}


async def test_a_share_of_few_messages_says_nothing(figures: Figures, database: Database) -> None:
    lately = NOON - timedelta(minutes=2)
    await append(database, Delta(turns=(turn_fact(lately, state="failed"),) * 19))
    assert await figures.values(AlertFigure.ERROR_RATE) == {"": None}


async def test_costs_that_nobody_knows_are_counted_by_model(
    figures: Figures, database: Database
) -> None:
    lately = NOON - timedelta(minutes=2)
    attempts = attempt_fact(lately, cost_nanos=None, model="new"), attempt_fact(lately)
    await append(database, Delta(attempts=attempts))
    assert await figures.values(AlertFigure.UNKNOWN_COST) == {"m": 0.0, "new": 1.0}


async def test_cached_tokens_are_held_against_those_of_a_day_before(
    figures: Figures, database: Database
) -> None:
    earlier, now = NOON - timedelta(hours=5), NOON - timedelta(minutes=5)
    before = attempt_fact(earlier, input_tokens=2_000_000, cached_tokens=1_000_000)
    lately = attempt_fact(now, input_tokens=200_000, cached_tokens=20_000)
    await append(database, Delta(attempts=(before, lately)))
    found = await figures.values(AlertFigure.CACHED_TOKENS_CHANGE, 3_600)
    assert found == {"": pytest.approx(0.1 / (1_020 / 2_200))}


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


async def test_dead_letters_are_counted_by_their_reason(
    figures: Figures, database: Database
) -> None:
    rows = [
        {
            "id": f"dead_{number}",
            "state": DeadLetterState.OPEN,
            "reason": DeadReason.DEADLINE_PASSED,
            "detail": "",
            "created_at": NOON - timedelta(minutes=number * 8),
        }
        for number in range(3)
    ]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(dead_letter), rows)
    assert await figures.values(AlertFigure.DEAD_LETTERS) == {DeadReason.DEADLINE_PASSED: 2.0}


async def test_a_redis_that_is_away_leaves_breakers_unknown_and_the_rest_as_it_is(
    database: Database, clock: ManualClock
) -> None:
    redis = open_redis(patient_settings("redis://127.0.0.1:1/0"))
    figures = Figures(figure_table(SETTINGS, database, redis, clock))
    assert await figures.read(AlertFigure.BREAKER_OPEN) == FigureReading()
    assert (await figures.read(AlertFigure.OLDEST_WAIT_SECONDS)).knows
    await redis.aclose()


async def test_a_breaker_is_told_by_the_name_of_its_model(figures: Figures) -> None:
    assert await figures.values(AlertFigure.BREAKER_OPEN) == {"p/m": 0.0}


async def test_people_and_judges_are_averaged_apart_once_there_are_enough(
    figures: Figures, database: Database
) -> None:
    def said(number: int, source: str, value: float | None) -> dict[str, Any]:
        given = {"given_at": NOON, "created_at": NOON, "original": "1", "earlier": "[]"}
        whose = {"id": f"{source}{number}", "response_id": f"resp_{number}", "tenant_id": "ten_1"}
        told = {"name": "good", "source": source, "value": value, "is_negative": False}
        return given | whose | told | {"changes": 0}

    rows = [said(n, "user", 0.25 + 0.5 * (n % 2)) for n in range(10)]
    rows += [said(n, "judge:strict", 0.9) for n in range(11)] + [said(99, "user", None)]
    async with transaction(database.durable) as connection:
        await connection.execute(insert(feedback), rows[:9])
    assert await figures.values(AlertFigure.SATISFACTION) == {"": None}
    async with transaction(database.durable) as connection:
        await connection.execute(insert(feedback), rows[9:])
    assert await figures.values(AlertFigure.SATISFACTION) == {"": pytest.approx(0.5)}
    assert await figures.values(AlertFigure.JUDGE_SCORE) == {"": pytest.approx(0.9)}
