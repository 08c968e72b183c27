"""The round of online judging: a time that is over is looked at once, as far as its day's budget
goes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

from sqlalchemy import select

from shared.clock import Clock
from shared.errors import LedgerUnavailable, Unavailable
from shared.evaluation.judged_window import JudgedWindow, with_reason
from shared.evaluation.judging.judge import Judge
from shared.persistence.engine import Database
from shared.persistence.statements import reading
from shared.persistence.tables import tenant
from shared.settings.watching.evaluation import EvaluationSettings
from shared.telemetry.logs import get_logger
from workers.judging.judged_answers import OnlineJudging
from workers.judging.purse import AnswerJudged, DearestQuestion
from workers.judging.sampling import AnswerSample, GivenAnswer
from workers.judging.windows import JudgedWindows


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
        left = (await self._chosen(window))[window.done :]
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
        try:
            left = left[await judging.judge(left) :]
        except LedgerUnavailable:
            raise
        except Unavailable as fault:
            # What is left is judged once that is mended.
            await self._windows.stop(window, fault=fault.message)
            self._log.warning("judging_stopped", code=fault.code, reason=fault.message)
            raise
        if left and not purse.is_spent:
            return  # the next round goes on
        await self._windows.finish(window, left_over=len(left), at=self._clock.now())
        self._say(window, left_over=len(left), purse=purse)

    async def _chosen(self, window: JudgedWindow) -> list[GivenAnswer]:
        sample = AnswerSample(
            self._database,
            since=window.starts_at,
            until=window.ends_at,
            tenant_ids=await self._tenants(),
        )
        dice = Random(window.starts_at.isoformat())
        settings = self._settings
        return await sample.chosen(share=settings.share, most=settings.most, dice=dice)

    def _say(self, window: JudgedWindow, *, left_over: int, purse: _DailyPurse) -> None:
        if left_over:
            self._log.warning(
                "judging_budget_spent",
                day=window.starts_at.date().isoformat(),
                left_over=left_over,
                is_cost_known=purse.is_cost_known,
            )
        if purse.reasons:
            self._log.warning("judge_gave_no_verdict", reasons=purse.reasons)

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
        self._dearest = DearestQuestion()
        self.reasons = window.reasons
        self.is_spent = False
        self.is_cost_known = True

    async def has_more(self, under_way: int) -> bool:
        spent = await self._windows.spent(self._window)
        self.is_cost_known = spent is not None
        self.is_spent = spent is None or spent >= self._budget
        if spent is None or self.is_spent or self._clock.monotonic() >= self._until:
            return False
        return self._dearest.fits(under_way, spent=spent, budget=self._budget)

    async def note(self, judged: AnswerJudged, *, is_done: bool = True) -> None:
        self._dearest.learn(judged)
        if not is_done:
            await self._windows.spend(self._window, judged.cost)
            return
        if judged.why and judged.left_out is None:
            self.reasons = with_reason(self.reasons, judged.why)
        await self._windows.add(self._window, judged, reasons=self.reasons)


_NOBODY: Final = ""
