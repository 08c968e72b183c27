"""What a run is asked to do, and the run that does it."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from deploy.cli.eval.running.golden_run import GoldenRun, Progress
from shared.clock import SystemClock
from shared.evaluation.catalogue import EvaluationCatalogue
from shared.evaluation.golden.golden_set import GoldenSet
from shared.evaluation.judging.asking import BatchAsker
from shared.evaluation.judging.judge import Judge
from shared.evaluation.judging.sights import LedgerSights
from shared.evaluation.judging.verdicts import JudgeVerdicts
from shared.evaluation.kept_run import CaseResult, KeptRun
from shared.evaluation.paired.two_runs import refuse_other_cases
from shared.identifiers import EVALUATION_RUN, new_id
from shared.persistence.engine import Database


class RunPlan(msgspec.Struct, frozen=True):
    """Where to, and how."""

    url: str
    key: str
    version: str
    judge: str | None = None
    collection_id: str | None = None
    variant: str | None = None
    baseline: str | None = None
    repeats: int = 0
    concurrency: int = 16
    patience_seconds: float = 600.0


async def run_planned(
    golden: GoldenSet, plan: RunPlan, *, database: Database, progress: Progress
) -> tuple[KeptRun, list[CaseResult]]:
    """The run as it ended, and what its cases came to.

    Raises NotFound for a baseline that is not there, Conflict for one of other cases, Unavailable
    and LedgerUnavailable.
    """
    catalogue, clock = EvaluationCatalogue(database), SystemClock()
    before: dict[str, bool | None] = {}
    if plan.baseline is not None:
        known = await catalogue.find(plan.baseline)
        refuse_other_cases(known, golden.name, golden.digest)
        kept = await catalogue.all_results(known.id)
        before = {each.case_id: each.passed for each in kept if each.repeat == 0}
    rubrics = sorted({rubric for case in golden.cases for rubric in case.rubrics})
    is_judged = plan.judge is not None and bool(rubrics)
    run = KeptRun(
        id=new_id(EVALUATION_RUN),
        set_name=golden.name,
        set_digest=golden.digest,
        version=plan.version[:128],
        began_at=clock.now(),
        cases=len(golden.cases),
        judge_model=plan.judge if is_judged else None,
        judge_rubric=sha256("\0".join(rubrics).encode()).hexdigest() if is_judged else None,
    )
    async with BatchAsker(plan.url, plan.key, patience_seconds=plan.patience_seconds) as asker:
        judge = None
        if plan.judge is not None:
            verdicts = JudgeVerdicts(database, clock)
            judge = Judge(plan.judge, ask=asker.ask, verdicts=verdicts)
        running = GoldenRun(
            run,
            golden,
            ask=asker.ask,
            judge=judge,
            catalogue=catalogue,
            sights=LedgerSights(database),
            clock=clock,
            progress=progress,
            concurrency=plan.concurrency,
            collection_id=plan.collection_id,
            variant=plan.variant,
        )
        ended = await running.to_its_end(repeats=plan.repeats, before=before)
    return ended, await catalogue.all_results(run.id)
