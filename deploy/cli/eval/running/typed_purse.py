"""The budget of one `forebay eval online`, and what came of it."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import msgspec

from deploy.cli.eval.running.golden_run import Progress
from workers.judging.purse import AnswerJudged, DearestQuestion


class JudgedAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `cost` is the judge's, None where its price is not known."""

    judged: int
    passed: int
    without_verdict: int
    left_over: int
    """Answers for which the budget did not suffice."""
    without_verdict_because: dict[str, int]
    left_out: dict[str, int]
    cost: Decimal | None


class TypedPurse:
    """A judge of unknown price is asked once."""

    def __init__(self, budget: Decimal, progress: Progress) -> None:
        self._budget = budget
        self._progress = progress
        self._cost: Decimal | None = Decimal(0)
        self._dearest = DearestQuestion()
        self._done: list[AnswerJudged] = []

    async def has_more(self, under_way: int) -> bool:
        spent = self._cost
        return spent is not None and self._dearest.fits(under_way, spent=spent, budget=self._budget)

    async def note(self, judged: AnswerJudged, *, is_done: bool = True) -> None:
        self._dearest.learn(judged)
        known = self._cost is not None and judged.cost is not None
        self._cost = self._cost + judged.cost if known else None  # type: ignore[operator] # both are
        if is_done:
            self._done.append(judged)
            self._progress.advance(1)

    def came(self, *, left_over: int) -> JudgedAnswers:
        """All that came of it."""
        asked = [each.passed for each in self._done if each.left_out is None]
        return JudgedAnswers(
            judged=len(asked) - asked.count(None),
            passed=asked.count(True),
            without_verdict=asked.count(None),
            left_over=left_over,
            without_verdict_because=dict(
                Counter(each.why for each in self._done if each.left_out is None and each.why)
            ),
            left_out=dict(Counter(each.left_out for each in self._done if each.left_out)),
            cost=self._cost,
        )
