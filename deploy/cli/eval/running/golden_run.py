"""One run of a golden set: each case asked, checked, judged and kept as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce
from typing import Final, Protocol

import msgspec

from shared.clock import Clock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.checks import Check, JudgeCheck, kind_of
from shared.evaluation.golden.golden_set import GoldenSet
from shared.evaluation.judging.judge import Ask, Judge
from shared.evaluation.judging.sights import LedgerSights
from shared.evaluation.kept_run import CaseResult, CheckOutcome, KeptRun
from shared.evaluation.paired.case_figures import figures_of
from shared.evaluation.paired.scoring import scores_of
from shared.evaluation.tables import RunState
from workers.evaluation.checking import check_answer
from workers.evaluation.concluding import conclude

_NO_JUDGE: Final = "No judge is named: give --judge MODEL."
_FIRST: Final[Mapping[str, bool | None]] = {}


class Progress(Protocol):
    """Hears how far a run is."""

    def begin(self, step: str, total: int) -> None:
        """A new step; the one before is done."""

    def advance(self, done: int) -> None:
        """So many more of the step."""


class GoldenRun:
    """Asks `concurrency` cases at once."""

    def __init__(
        self,
        run: KeptRun,
        golden: GoldenSet,
        *,
        ask: Ask,
        judge: Judge | None,
        catalogue: EvaluationCatalogue,
        sights: LedgerSights,
        clock: Clock,
        progress: Progress,
        concurrency: int,
        collection_id: str | None = None,
        variant: str | None = None,
    ) -> None:
        self._run = run
        self._golden = golden
        self._ask = ask
        self._judge = judge
        self._catalogue = catalogue
        self._sights = sights
        self._clock = clock
        self._progress = progress
        self._slots = asyncio.Semaphore(concurrency)
        self._collection_id = collection_id
        self._variant = variant
        self._results: list[CaseResult] = []
        self._variants: set[str | None] = set()
        self._judge_cost: Decimal | None = Decimal(0)

    async def to_its_end(
        self, *, repeats: int = 0, before: Mapping[str, bool | None] = _FIRST
    ) -> KeptRun:
        """The run as it ended, kept. With `repeats`, a case that came out another way than
        `before` is asked so many times more: only there is chance worth money.

        Who leaves early leaves a run that is `stopped`, with what it has. Raises Unavailable and
        LedgerUnavailable.
        """
        await self._catalogue.begin(self._run)
        try:
            await self._pass("Asking", [(case, 0) for case in self._golden.cases])
            differing = {each.case_id for each in self._results if _differs(each, before)}
            again = [case for case in self._golden.cases if case.id in differing]
            if repeats and again:
                await self._pass(
                    "Repeating", [(case, nth) for case in again for nth in range(1, repeats + 1)]
                )
        except BaseException:
            await asyncio.shield(self._end(RunState.STOPPED))
            raise
        return await self._end(RunState.COMPLETED)

    async def _pass(self, step: str, wanted: Sequence[tuple[GoldenCase, int]]) -> None:
        self._progress.begin(step, len(wanted))
        asked = [asyncio.create_task(self._one(case, repeat)) for case, repeat in wanted]
        try:
            await asyncio.gather(*asked)
        finally:
            for each in asked:
                each.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _one(self, case: GoldenCase, repeat: int) -> None:
        async with self._slots:
            answered = await self._ask(
                case.body(collection_id=self._collection_id, variant=self._variant)
            )
            if answered.response_id is not None:
                sight = await self._sights.of(answered.response_id)
                answered = msgspec.structs.replace(answered, sight=sight)
                self._variants.add(answered.variant)
            outcomes = [await self._outcome(each, case, answered) for each in case.checks]
            result = conclude(case, answered, outcomes, repeat=repeat, at=self._clock.now())
            await self._catalogue.keep(self._run.id, [result])
        self._results.append(result)
        self._progress.advance(1)

    async def _outcome(
        self, check: Check, case: GoldenCase, answered: AnsweredCase
    ) -> CheckOutcome:
        if answered.response_id is None:
            return CheckOutcome(kind_of(check), False, answered.error)
        if not isinstance(check, JudgeCheck):
            return check_answer(check, case, answered)
        if self._judge is None:
            return CheckOutcome(kind_of(check), None, _NO_JUDGE)
        verdict = await self._judge.judge(check.rubric, question=case.asked, answer=answered.text)
        self._judge_cost = _sum(self._judge_cost, verdict.cost)
        return CheckOutcome(kind_of(check), verdict.passed, verdict.why, verdict.judge)

    async def _end(self, state: RunState) -> KeptRun:
        costs: list[Decimal | None] = [each.cost for each in self._results if each.response_id]
        nothing: Decimal | None = Decimal(0)
        ended = msgspec.structs.replace(
            self._run,
            variant=next(iter(self._variants)) if len(self._variants) == 1 else None,
            state=state,
            finished_at=self._clock.now(),
            cost=reduce(_sum, costs, nothing),
            judge_cost=self._judge_cost,
            scores=scores_of(figures_of(self._results)) if self._results else None,
        )
        await self._catalogue.end(ended)
        return ended


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Unknown where one of them is."""
    return None if one is None or other is None else one + other


def _differs(result: CaseResult, before: Mapping[str, bool | None]) -> bool:
    return result.case_id in before and before[result.case_id] != result.passed
