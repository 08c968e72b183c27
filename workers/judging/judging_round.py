"""The round of online judging: a time that is over is looked at once, as far as its day's budget
goes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from sqlalchemy import select

from shared.clock import Clock
from shared.evaluation.judging.judge import Judge
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import tenant
from shared.settings.watching.evaluation import EvaluationSettings
from shared.telemetry.logs import get_logger
from workers.judging.judged_answers import OnlineJudging
from workers.judging.purse import AnswerJudged
from workers.judging.sampling import AnswerSample
from workers.judging.windows import JudgedWindow, JudgedWindows


class JudgingRound:
    """One leader does it; whoever follows one that died goes on behind the last answer it noted.

    Two that believe they lead ask a judge twice at worst, and both from the same budget. Raises
    Unavailable and LedgerUnavailable: what was not judged then is judged later.
    """

    def __init__(
        self,
        judge: Judge,
        settings: EvaluationSettings,
        *,
        database: Database,
        clock: Clock,
        round_seconds: float,
    ) -> None:
        """It begins no question once it is so long at it."""
        self._judge = judge
        self._settings = settings
        self._database = database
        self._clock = clock
        self._round_seconds = round_seconds
        self._windows = JudgedWindows(database)
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        every = timedelta(seconds=self._settings.every_seconds)
        window = await self._windows.next(self._clock.now(), every)
        if window is not None:
            await self._judged(window)

    async def _judged(self, window: JudgedWindow) -> None:
        sample = AnswerSample(
            self._database,
            since=window.starts_at,
            until=window.ends_at,
            tenant_ids=await self._tenants(),
        )
        dice = Random(window.starts_at.isoformat())
        chosen = await sample.chosen(
            share=self._settings.share, most=self._settings.most, dice=dice
        )
        purse = _DailyPurse(
            window,
            self._windows,
            budget=self._settings.daily_budget,
            clock=self._clock,
            until=self._clock.monotonic() + self._round_seconds,
        )
        judging = OnlineJudging(
            self._judge,
            self._settings.rubric,
            database=self._database,
            clock=self._clock,
            purse=purse,
        )
        left = chosen[window.done :]
        left = left[await judging.judge(left) :]
        if left and not purse.is_spent:
            return  # the next round goes on
        await self._windows.finish(window, left_over=len(left), at=self._clock.now())
        if left:
            self._log.warning(
                "judging_budget_spent",
                day=window.starts_at.date().isoformat(),
                left_over=len(left),
                is_cost_known=purse.is_cost_known,
            )

    async def _tenants(self) -> list[str]:
        """Ids of those that are named; one that nobody has is nobody's."""
        if not (names := self._settings.tenants):
            return []
        query = select(tenant.c.id).where(tenant.c.name.in_(names))
        async with reading(self._database.relaxed) as connection:
            return [*(await connection.execute(query)).scalars()] or [_NOBODY]


class _DailyPurse:
    """Read from the ledger each time, so that all who take from it see the same."""

    def __init__(
        self,
        window: JudgedWindow,
        windows: JudgedWindows,
        *,
        budget: Decimal,
        clock: Clock,
        until: float,
    ) -> None:
        self._window = window
        self._windows = windows
        self._budget = budget
        self._clock = clock
        self._until = until
        self.is_spent = False
        self.is_cost_known = True

    async def has_more(self) -> bool:
        spent = await self._windows.spent(self._window)
        self.is_cost_known = spent is not None
        self.is_spent = spent is None or spent >= self._budget
        return not self.is_spent and self._clock.monotonic() < self._until

    async def note(self, judged: AnswerJudged) -> None:
        await self._windows.add(self._window, judged)


_NOBODY: Final = ""
