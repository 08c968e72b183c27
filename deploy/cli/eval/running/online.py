"""Answers that were given, judged under a budget of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from deploy.cli.eval.cutting.kept_message import NotCut, body_of, kept_message
from deploy.cli.eval.running.golden_run import Progress
from shared.clock import Clock
from shared.evaluation.judging.judge import Judge
from shared.feedback.book import FeedbackBook
from shared.feedback.verdict import JUDGE, FeedbackVerdict
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database

QUALITY = "quality"
"""The name under which a judge's verdict is kept."""


class JudgedAnswers(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. `cost` is the judge's, None where its price is not known."""

    judged: int
    passed: int
    without_verdict: int
    left_over: int
    """Answers for which the budget did not suffice."""
    left_out: dict[str, int]
    cost: Decimal | None


class OnlineJudging:
    """Keeps each verdict as feedback whose source is the judge."""

    def __init__(
        self, judge: Judge, rubric: str, *, database: Database, clock: Clock, progress: Progress
    ) -> None:
        self._judge = judge
        self._rubric = rubric
        self._database = database
        self._book = FeedbackBook(database, clock)
        self._progress = progress

    async def judge(
        self, response_ids: Sequence[str], *, tenant_id: str, budget: Decimal
    ) -> JudgedAnswers:
        """One after the other until the budget is spent; a judge of unknown price is asked once.

        Raises Unavailable and LedgerUnavailable.
        """
        self._progress.begin("Judging", len(response_ids))
        left_out: Counter[str] = Counter()
        passed: list[bool | None] = []
        cost: Decimal | None = Decimal(0)
        done = 0
        for response_id in response_ids:
            if cost is None or cost >= budget:
                break
            done += 1
            self._progress.advance(1)
            try:
                record = await kept_message(self._database, response_id, tenant_id=tenant_id)
                question, answer = _said(record)
            except NotCut as error:
                left_out[error.message] += 1
                continue
            verdict = await self._judge.judge(self._rubric, question=question, answer=answer)
            cost = None if verdict.cost is None else cost + verdict.cost
            passed.append(verdict.passed)
            if verdict.passed is not None:
                await self._keep(record, verdict.judge, passed=verdict.passed)
        return JudgedAnswers(
            judged=len(passed) - passed.count(None),
            passed=passed.count(True),
            without_verdict=passed.count(None),
            left_over=len(response_ids) - done,
            left_out=dict(left_out),
            cost=cost,
        )

    async def _keep(self, record: MessageRecord, judge: str, *, passed: bool) -> None:
        said = FeedbackVerdict(
            name=QUALITY,
            source=f"{JUDGE}:{judge[:16]}",
            original=passed,
            value=float(passed),
        )
        await self._book.give(record.tenant_id, record.id, said)


def _said(record: MessageRecord) -> tuple[str, str]:
    """What a user asked last, and the answer; raises NotCut."""
    asked = [
        item.text()
        for item in body_of(record).input
        if isinstance(item, MessageItem) and item.role is Role.USER
    ]
    if not (asked and asked[-1] and record.output_text):
        raise NotCut("have no question or answer in words")
    return asked[-1], record.output_text
