"""Every figure that there is data for, read once for all rules that look at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from redis.asyncio import Redis

from shared.alerts.deciding import FigureReading
from shared.alerts.figures.anomalies import AnomalyFigures
from shared.alerts.figures.backlog import BacklogFigures
from shared.alerts.figures.breakers import BreakerFigure
from shared.alerts.figures.money import BudgetFigures
from shared.alerts.figures.opinions import OpinionFigures
from shared.alerts.figures.traffic import ServiceFigures
from shared.alerts.rule import AlertRule
from shared.clock import Clock
from shared.errors import Unavailable
from shared.persistence.engine import Database
from shared.rollups.reading import Rollups
from shared.settings import Settings
from shared.settings.watching.alert_rules import AlertFigure
from shared.telemetry.logs import get_logger

Figure = Callable[[float], Awaitable[FigureReading]]
"""Reads a figure over a window of so many seconds; those that know no window ignore it."""


class FigureTable:
    """Reads what rules look at; what cannot be read now is not known, and says so in the log."""

    def __init__(self, figures: Mapping[AlertFigure, Figure]) -> None:
        self._figures = figures
        self._log = get_logger(__name__)

    @property
    def figures(self) -> frozenset[AlertFigure]:
        """Those that there is data for."""
        return frozenset(self._figures)

    async def read(self, rules: Sequence[AlertRule]) -> dict[str, FigureReading]:
        """What the figure of each rule says, by the rule's name."""
        known = dict[tuple[AlertFigure, float], FigureReading]()
        for rule in rules:
            wanted = rule.figure, rule.window_seconds
            if wanted not in known:
                known[wanted] = await self._read(*wanted)
        return {rule.name: known[rule.figure, rule.window_seconds] for rule in rules}

    async def _read(self, figure: AlertFigure, window_seconds: float) -> FigureReading:
        try:
            return await self._figures[figure](window_seconds)
        except Unavailable as error:
            self._log.warning("figure_unknown", figure=figure, code=error.code)
        except Exception:  # noqa: BLE001 - a fault of one figure is no other's
            self._log.exception("figure_failed", figure=figure)
        return FigureReading(is_read=False)


def figure_table(settings: Settings, database: Database, redis: Redis, clock: Clock) -> FigureTable:
    """The figures of this installation."""
    backlog = BacklogFigures(database, clock)
    money = BudgetFigures(database, settings, clock)
    traffic = ServiceFigures(Rollups(database), settings.alerts, clock)
    opinions = OpinionFigures(database, clock, judges=settings.evaluation.enabled)
    anomalies = AnomalyFigures(database, clock)
    return FigureTable(
        {
            AlertFigure.BUDGET_SHARE: money.share,
            AlertFigure.BUDGET_FORECAST: money.forecast,
            AlertFigure.UNKNOWN_COST: traffic.unknown_cost,
            AlertFigure.COST_DEVIATION: anomalies.cost,
            AlertFigure.MESSAGE_DEVIATION: anomalies.messages,
            AlertFigure.ERROR_RATE: traffic.error_rate,
            AlertFigure.LATENCY_SECONDS: traffic.latency,
            AlertFigure.DEADLINE_BURN: traffic.deadline_burn,
            AlertFigure.LATENCY_BURN: traffic.latency_burn,
            AlertFigure.REFUSAL_RATE: traffic.refusal_rate,
            AlertFigure.CACHED_TOKENS_CHANGE: traffic.cached_tokens_change,
            AlertFigure.SATISFACTION: opinions.satisfaction,
            AlertFigure.JUDGE_SCORE: opinions.judge_score,
            AlertFigure.UNJUDGED_SHARE: opinions.unjudged_share,
            AlertFigure.OLDEST_WAIT_SECONDS: backlog.oldest_wait,
            AlertFigure.DEAD_LETTERS: backlog.dead_letters,
            AlertFigure.BATCH_OVERDUE_SECONDS: backlog.batch_overdue,
            AlertFigure.INDEX_BEHIND_SECONDS: backlog.index_behind,
            AlertFigure.BREAKER_OPEN: BreakerFigure(redis, settings),
        }
    )
