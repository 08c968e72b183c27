"""A judge that is asked without a door, and the newest time that it looked at."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from shared.clock import Clock
from shared.errors import Unavailable
from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.judged_window import JudgedWindow
from shared.settings.watching.evaluation import EvaluationSettings
from workers.judging.windows import JudgedWindows

EACH = Decimal("0.01")
SETTINGS = EvaluationSettings(share=1.0, most=50, daily_budget=Decimal("0.035"))


class ScriptedJudge:
    """Says no to what has `bad` in it; each question costs the same."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cost: Decimal | None = EACH
        self.away_after: int | None = None
        self.refuses_with: int | None = None
        self.says: str | None = None
        self.together: asyncio.Barrier | None = None

    async def ask(self, body: dict[str, Any]) -> AnsweredCase:
        if self.refuses_with is not None:
            why = "The API key was revoked."
            return AnsweredCase(state="refused", error=why, refused_with=self.refuses_with)
        if self.away_after is not None and len(self.asked) >= self.away_after:
            raise Unavailable("Nobody is there.")
        assert body["store"] is False
        assert body["metadata"] == {"forebay_variant": "control"}
        self.asked.append(body["input"])
        passes = "false" if "bad" in body["input"] else "true"
        if self.together is not None and len(self.asked) > 1:
            await self.together.wait()
        said = self.says or f'{{"reason":"So.","passes":{passes}}}'
        return AnsweredCase(state="completed", text=said, model="judge", told_cost=self.cost)


async def newest(windows: JudgedWindows, clock: Clock) -> JudgedWindow:
    found = await windows.newest(clock.now())
    assert found is not None
    return found
