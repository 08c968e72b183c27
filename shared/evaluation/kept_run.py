"""A run of a golden set as the ledger keeps it, and what each of its cases came to."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from shared.evaluation.bootstrap import Estimate
from shared.evaluation.tables import RunState


class Figure(StrEnum):
    """What a run is told by; of the second and of costs less is better."""

    TASK_COMPLETION = "task_completion"
    HALLUCINATION = "hallucination"
    SATISFACTION = "satisfaction"
    COST_PER_SUCCESS = "cost_per_success"

    @property
    def more_is_better(self) -> bool:
        return self in {Figure.TASK_COMPLETION, Figure.SATISFACTION}


class CheckOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check of a case came to. `passed` is None where it has no verdict; `why` says what
    was wrong, and holds nothing of the answer."""

    kind: str
    passed: bool | None
    why: str = ""
    judge: str = ""
    """The digest of the judge that said so."""


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """One answer to one case; the columns of `evaluation_result` but for the run."""

    case_id: str
    repeat: int = 0
    conversation: str
    """What is drawn together when intervals are reckoned: cases of one are no independent ones."""
    weight: float = 1.0
    response_id: str | None = None
    state: str
    """The response's, or `refused` where the door took no message."""
    passed: bool | None
    hallucinated: bool | None = None
    checks: tuple[CheckOutcome, ...] = ()
    seconds: float | None = None
    """From its claim by a worker to its end: the wait of the batch lane is not its fault."""
    cost: Decimal | None = None
    """US dollars of all its attempts, failed ones too; None where one of them is unknown."""
    model: str | None = None
    answer_digest: str | None = None
    finished_at: datetime


class KeptRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run; the columns of `evaluation_run`."""

    id: str
    set_name: str
    set_digest: str
    version: str
    variant: str | None = None
    """Under which all of it was answered; None where there was none, or more than one."""
    state: RunState = RunState.RUNNING
    began_at: datetime
    finished_at: datetime | None = None
    cases: int
    cost: Decimal | None = None
    judge_cost: Decimal | None = None
    judge_model: str | None = None
    judge_rubric: str | None = None
    scores: dict[Figure, Estimate] | None = None
    """Each figure that could be reckoned, once the run has ended."""


_checks: Final = msgspec.json.Decoder(tuple[CheckOutcome, ...])
_scores: Final = msgspec.json.Decoder(dict[str, Estimate])


def row_of_run(run: KeptRun) -> dict[str, Any]:
    """As the table has it."""
    scores = None if run.scores is None else msgspec.json.encode(run.scores).decode()
    return msgspec.structs.asdict(run) | {"scores": scores}


def run_of_row(row: Any) -> KeptRun:
    """From a row of the table."""
    values = dict(row._mapping)
    if values["scores"] is not None:
        told = _scores.decode(values["scores"])
        values["scores"] = {each: told[each] for each in Figure if each in told}
    return KeptRun(**values)


def row_of_result(run_id: str, result: CaseResult) -> dict[str, Any]:
    """As the table has it."""
    checks = msgspec.json.encode(result.checks).decode()
    return msgspec.structs.asdict(result) | {"run_id": run_id, "checks": checks}


def result_of_row(row: Any) -> CaseResult:
    """From a row of the table."""
    values = dict(row._mapping) | {"checks": _checks.decode(row.checks)}
    del values["run_id"]
    return CaseResult(**values)
