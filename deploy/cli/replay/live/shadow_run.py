"""Asks recorded messages once more, as far as the budget goes, and drops what is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from deploy.cli.replay.live.budget import ShadowBudget
from deploy.cli.replay.live.recorded import RecordedAnswer, RecordedTraffic
from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.judging.judge import Ask
from shared.evaluation.judging.pair_judge import ComparedAnswers, PairJudge
from shared.evaluation.judging.sights import LedgerSights
from shared.messages.state import ResponseState
from shared.settings.watching.variants import ASKED_FOR
from workers.judging.kept_message import NotCut


class ShadowEnd(StrEnum):
    """Why it ended."""

    DONE = "done"
    BUDGET = "budget"
    UNKNOWN_COST = "unknown_cost"
    INTERRUPTED = "interrupted"


class ShadowPair(msgspec.Struct, frozen=True, kw_only=True):
    """A message then and now."""

    asked_model: str
    conversation: str
    then: AnsweredCase
    now: AnsweredCase
    judged: ComparedAnswers | None = None

    @property
    def is_comparable(self) -> bool:
        """Whether there are two texts."""
        return all(is_answered(each) and each.text for each in (self.then, self.now))


class ShadowAsking(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asked, and who judges. Without a model each is asked of the one that it named."""

    ask: Ask
    model: str | None
    variant: str
    judge: PairJudge | None
    sights: LedgerSights
    concurrency: int


class ShadowRun:
    """One pass over the messages, the oldest first. What it has stands in its attributes also
    when it was left early."""

    def __init__(
        self,
        traffic: RecordedTraffic,
        asking: ShadowAsking,
        budget: ShadowBudget,
        *,
        tell: Callable[[int], None],
    ) -> None:
        self._traffic = traffic
        self._asking = asking
        self._budget = budget
        self._tell = tell
        self._tasks = set[asyncio.Task[None]]()
        self.pairs: list[ShadowPair] = []
        self.left_out = Counter[str]()
        self.looked_at = 0
        self.reached: datetime | None = None
        """When the last message came that was begun."""

    async def to_its_end(self, ids: Sequence[str]) -> ShadowEnd:
        """Why it ended. Who leaves it has all cancelled that has not ended, and its answers lost.

        Raises Unavailable and LedgerUnavailable.
        """
        try:
            for message_id in ids:
                if not await self._may_begin():
                    break
                await self._begin(message_id)
            await self._settle(asyncio.ALL_COMPLETED)
        finally:
            for each in self._tasks:
                each.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.looked_at == len(ids):
            return ShadowEnd.DONE
        return ShadowEnd.UNKNOWN_COST if self._budget.is_blind else ShadowEnd.BUDGET

    async def _may_begin(self) -> bool:
        """Once there is room for one more; False where there will be none."""
        while True:
            if len(self._tasks) < self._asking.concurrency and self._budget.allows_one():
                return True
            if not self._tasks or self._budget.is_spent:
                return False
            await self._settle(asyncio.FIRST_COMPLETED)

    async def _begin(self, message_id: str) -> None:
        self.looked_at += 1
        self._tell(self.looked_at)
        try:
            recorded = await self._traffic.read(message_id)
        except NotCut as error:
            self.left_out[error.message] += 1
            return
        self.reached = recorded.at
        self._budget.begin()
        self._tasks.add(asyncio.create_task(self._one(recorded)))

    async def _settle(self, until: str) -> None:
        if self._tasks:
            done, self._tasks = await asyncio.wait(self._tasks, return_when=until)
            for each in done:
                each.result()

    async def _one(self, recorded: RecordedAnswer) -> None:
        body = self._body(recorded)
        now = await self._asking.ask(body)
        if now.response_id is None:
            self._budget.end(_NOTHING, is_answered=False)
            self.left_out[f"were refused by the door: {now.error}"] += 1
            return
        sight = await self._asking.sights.of(now.response_id)
        pair = ShadowPair(
            asked_model=str(body.get("model") or ""),
            conversation=recorded.conversation,
            then=recorded.answered,
            now=msgspec.structs.replace(now, sight=sight),
        )
        judged, judge = None, self._asking.judge
        if judge is not None and pair.is_comparable:
            texts = {"known": pair.then.text, "other": pair.now.text}
            judged = await judge.compare(recorded.question, **texts)
        self._budget.end(_cost(pair.now, judged), is_answered=is_answered(pair.now))
        self.pairs.append(msgspec.structs.replace(pair, judged=judged))

    def _body(self, recorded: RecordedAnswer) -> dict[str, Any]:
        metadata = {**recorded.body.get("metadata", {}), ASKED_FOR: self._asking.variant}
        named = {} if self._asking.model is None else {"model": self._asking.model}
        return {**recorded.body, **named, "metadata": metadata}


def is_answered(of: AnsweredCase) -> bool:
    """Whether the message was completed."""
    return of.state == ResponseState.COMPLETED


def _cost(now: AnsweredCase, judged: ComparedAnswers | None) -> Decimal | None:
    beside = _NOTHING if judged is None else judged.cost
    return None if now.cost is None or beside is None else now.cost + beside


_NOTHING: Final = Decimal(0)
