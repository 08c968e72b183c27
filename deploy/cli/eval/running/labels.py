"""Labels of people, and a judge that is asked the same."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from deploy.cli.eval.running.golden_run import Progress
from shared.clock import SystemClock
from shared.evaluation.golden.golden_set import ReadLines, WrongLine, lines_of, read_json_lines
from shared.evaluation.judging.agreement import (
    JudgeAgreement,
    JudgeAgreements,
    LabelledAnswer,
    agreement_of,
)
from shared.evaluation.judging.asking import BatchAsker
from shared.evaluation.judging.judge import Judge, judge_id
from shared.evaluation.judging.verdicts import JudgeVerdicts
from shared.persistence.engine import Database

_AT_ONCE: Final = 16
_PATIENCE_SECONDS: Final = 600.0


def read_labels(path: Path) -> ReadLines[LabelledAnswer]:
    """All lines that are labels, and what is wrong with the others. Raises InvalidRequest."""
    decoder = msgspec.json.Decoder(LabelledAnswer)
    read = [each for _, each in read_json_lines(str(path), lines_of(path), decoder)]
    return ReadLines(
        tuple(each for each in read if isinstance(each, LabelledAnswer)),
        tuple(each for each in read if isinstance(each, WrongLine)),
    )


async def measure_agreement(
    labels: Sequence[LabelledAnswer],
    model: str,
    *,
    door: tuple[str, str],
    database: Database,
    progress: Progress,
) -> dict[str, JudgeAgreement]:
    """By rubric, how far the judge agrees; kept. Raises Unavailable and LedgerUnavailable."""
    slots = asyncio.Semaphore(_AT_ONCE)
    progress.begin("Judging", len(labels))
    async with BatchAsker(*door, patience_seconds=_PATIENCE_SECONDS) as asker:
        judge = Judge(model, ask=asker.ask, verdicts=JudgeVerdicts(database, SystemClock()))

        async def judged(label: LabelledAnswer) -> bool | None:
            async with slots:
                said = await judge.judge(label.rubric, question=label.input, answer=label.answer)
            progress.advance(1)
            return said.passed

        passed = await asyncio.gather(*map(judged, labels))
    verdicts = list(zip(labels, passed, strict=True))
    measured = {
        rubric: _agreement(model, rubric, [each for each in verdicts if each[0].rubric == rubric])
        for rubric in dict.fromkeys(each.rubric for each in labels)
    }
    for each in measured.values():
        await JudgeAgreements(database).keep(each)
    return measured


def _agreement(
    model: str, rubric: str, verdicts: Sequence[tuple[LabelledAnswer, bool | None]]
) -> JudgeAgreement:
    pairs = [(label.good, passed) for label, passed in verdicts if passed is not None]
    # A judge that never gives a verdict agrees with nobody.
    equal, kappa = agreement_of(pairs) if pairs else (0.0, None)
    labels = msgspec.json.encode([label for label, _ in verdicts])
    return JudgeAgreement(
        judge=judge_id(model, rubric),
        measured_at=SystemClock().now(),
        labels_digest=sha256(labels).hexdigest(),
        labels=len(verdicts),
        without_verdict=len(verdicts) - len(pairs),
        agreement=equal,
        kappa=kappa,
    )
