"""What a case came to, by what its checks came to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.evaluation.golden.answered import AnsweredCase
from shared.evaluation.golden.case import GoldenCase
from shared.evaluation.golden.checks import (
    Check,
    FactsCheck,
    JudgeCheck,
    RetrievalCheck,
    StateCheck,
)
from shared.evaluation.kept_run import CaseResult, CheckOutcome
from shared.messages.state import ResponseState


def conclude(
    case: GoldenCase,
    answered: AnsweredCase,
    outcomes: Sequence[CheckOutcome],
    *,
    repeat: int,
    at: datetime,
) -> CaseResult:
    """The result of one answer; `outcomes` are those of the case's checks, in their order."""
    wants_state = any(isinstance(each, StateCheck) for each in case.checks)
    ended_well = wants_state or answered.state == ResponseState.COMPLETED
    return CaseResult(
        case_id=case.id,
        repeat=repeat,
        conversation=case.cluster,
        weight=case.weight,
        response_id=answered.response_id,
        state=answered.state,
        passed=all_of(each.passed for each in outcomes) if ended_well else False,
        hallucinated=_hallucinated(case.checks, outcomes) if ended_well else None,
        checks=tuple(outcomes),
        seconds=answered.sight.seconds if answered.sight else None,
        cost=answered.cost,
        model=answered.model,
        answer_digest=answered.digest,
        finished_at=at,
    )


def all_of(passed: Iterable[bool | None]) -> bool | None:
    """False where one is; None where none is and one is not known."""
    told = [*passed]
    if False in told:
        return False
    return None if None in told else True


def _hallucinated(checks: Sequence[Check], outcomes: Sequence[CheckOutcome]) -> bool | None:
    """Whether one of those failed that an invention fails; None where the case has none."""
    told = [
        outcome.passed
        for check, outcome in zip(checks, outcomes, strict=True)
        if isinstance(check, FactsCheck | RetrievalCheck)
        or (isinstance(check, JudgeCheck) and check.hallucination)
    ]
    passed = all_of(told) if told else None
    return None if passed is None else not passed
