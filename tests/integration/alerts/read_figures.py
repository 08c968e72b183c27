"""A reader of figures over a ledger, at a time that stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from shared.alerts.deciding import FigureReading
from shared.alerts.figures.figure_table import FigureTable, figure_table
from shared.alerts.rule import AlertRule
from shared.clock import ManualClock
from shared.messages.tenant import Plan
from shared.persistence.engine import Database
from shared.redis.client import open_redis
from shared.settings import Settings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.watching.alert_rules import LABELS, AlertFigure
from shared.settings.watching.alerts import AlertSettings
from tests.integration.patience import patient_settings

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
        assert all({*each.labels} <= {*LABELS.get(figure, ())} for each in found.observations)
        return {"".join(each.labels.values()): each.value for each in found.observations}


@pytest.fixture
async def figures(database: Database, clock: ManualClock, redis_url: str) -> Any:
    redis: Redis = open_redis(patient_settings(redis_url))
    yield Figures(figure_table(SETTINGS, database, redis, clock))
    await redis.aclose()
