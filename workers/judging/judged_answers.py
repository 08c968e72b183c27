"""Answers that were given, judged as far as a purse goes."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from shared.clock import Clock
from shared.errors import Conflict, Unavailable
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
_AT_ONCE: Final = 8
"""Questions that a judge is asked side by side."""


class JudgeTurnedAway(Unavailable):
    """The door takes no question for the judge, whatever the answer: it says why."""

    code = "judge_turned_away"


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
        """Side by side until the purse has no more; how many were done, from the first on.

        They are noted in their order, so that whoever follows goes on behind the last of them.
        Raises Unavailable, also as JudgeTurnedAway and LedgerUnavailable.
        """
        done, under_way = 0, deque[asyncio.Task[AnswerJudged]]()
        try:
            for answer in answers:
                while len(under_way) == _AT_ONCE or not await self._purse.has_more(len(under_way)):
                    if not under_way:
                        return done
                    await self._note(under_way)
                    done += 1
                under_way.append(asyncio.create_task(self._judged(answer)))
            while under_way:
                await self._note(under_way)
                done += 1
            return done
        except asyncio.CancelledError:
            for task in under_way:
                task.cancel()
            raise
        finally:
            await self._leave(under_way)

    async def _note(self, under_way: deque[asyncio.Task[AnswerJudged]]) -> None:
        await self._purse.note(await under_way[0])
        under_way.popleft()

    async def _leave(self, under_way: deque[asyncio.Task[AnswerJudged]]) -> None:
        """What is under way ends; it is paid for, though it is done later, with what was kept."""
        for judged in await asyncio.gather(*under_way, return_exceptions=True):
            if isinstance(judged, AnswerJudged) and judged.cost:
                await self._purse.note(judged, is_done=False)

    async def _judged(self, answer: GivenAnswer) -> AnswerJudged:
        try:
            record = await kept_message(
                self._database, answer.response_id, tenant_id=answer.tenant_id
            )
            question, said = _said(record)
        except NotCut as error:
            return AnswerJudged(left_out=error.message)
        verdict = await self._judge.judge(self._rubric, question=question, answer=said)
        if verdict.is_turned_away:
            raise JudgeTurnedAway(verdict.why)
        left_out = None
        if verdict.passed is not None:
            try:
                await self._keep(record, verdict.judge, passed=verdict.passed)
            except (Conflict, ChangedTooOften):
                left_out = "have all the feedback that they may have"
        return AnswerJudged(
            passed=verdict.passed,
            why=verdict.why,
            left_out=left_out,
            cost=verdict.cost,
            was_asked=verdict.was_asked,
            is_drawn=answer.is_drawn,
        )

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
