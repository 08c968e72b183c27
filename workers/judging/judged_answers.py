"""Answers that were given, judged as far as a purse goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.clock import Clock
from shared.errors import Conflict
from shared.evaluation.judging.judge import Judge
from shared.feedback.book import ChangedTooOften, FeedbackBook
from shared.feedback.verdict import OF_JUDGES, FeedbackVerdict
from shared.messages.item import MessageItem, Role
from shared.messages.record import MessageRecord
from shared.persistence.engine import Database
from workers.judging.kept_message import NotCut, body_of, kept_message
from workers.judging.purse import AnswerJudged, JudgePurse
from workers.judging.sampling import GivenAnswer

QUALITY: Final = "quality"
"""The name under which a judge's verdict is kept."""


class OnlineJudging:
    """Keeps each verdict as feedback whose source is the judge."""

    def __init__(
        self, judge: Judge, rubric: str, *, database: Database, clock: Clock, purse: JudgePurse
    ) -> None:
        self._judge = judge
        self._rubric = rubric
        self._database = database
        self._book = FeedbackBook(database, clock)
        self._purse = purse

    async def judge(self, answers: Sequence[GivenAnswer]) -> int:
        """One after the other until the purse has no more; how many were done.

        Raises Unavailable and LedgerUnavailable.
        """
        for done, answer in enumerate(answers):
            if not await self._purse.has_more():
                return done
            await self._purse.note(await self._judged(answer))
        return len(answers)

    async def _judged(self, answer: GivenAnswer) -> AnswerJudged:
        try:
            record = await kept_message(
                self._database, answer.response_id, tenant_id=answer.tenant_id
            )
            question, said = _said(record)
        except NotCut as error:
            return AnswerJudged(left_out=error.message)
        verdict = await self._judge.judge(self._rubric, question=question, answer=said)
        left_out = None
        if verdict.passed is not None:
            try:
                await self._keep(record, verdict.judge, passed=verdict.passed)
            except (Conflict, ChangedTooOften):
                left_out = "have all the feedback that they may have"
        return AnswerJudged(passed=verdict.passed, left_out=left_out, cost=verdict.cost)

    async def _keep(self, record: MessageRecord, judge: str, *, passed: bool) -> None:
        said = FeedbackVerdict(
            name=QUALITY,
            source=f"{OF_JUDGES}{judge[:16]}",
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
