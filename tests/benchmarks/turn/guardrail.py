"""The guardrail with all its default validators on an answer of 4 KB, in one process.

There is no stock way to stand beside it: the figure is held against the milliseconds that an
answer may cost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from shared.settings.validation import ValidationSettings
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from tests.benchmarks.turn import guarded_answers
from workers.validation.building import build_guardrail
from workers.validation.validator import Draft
from workers.validation.verdict import Verdict

ROUNDS: Final = 5
SHARE_OF_A_ROUND: Final = 0.1
MOST_MILLISECONDS: Final = 1.0


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU of one judgement, for prose and for an answer that claims a fact in every sentence."""
    say("guardrail on answers of 4 KB")
    answers = {
        "prose": guarded_answers.prose(),
        "a fact claimed in every sentence": guarded_answers.claims(),
    }
    for kind, text in answers.items():
        rounds = Rounds()
        for _ in range(ROUNDS):
            rounds.add(cpu=_milliseconds(text, seconds * SHARE_OF_A_ROUND))
        yield Row(
            what=f"guardrail, CPU a 4 KB answer ({kind})",
            on="10 facts",
            unit="ms",
            ours=rounds["cpu"],
            limit=MOST_MILLISECONDS,
        )


def _milliseconds(text: str, seconds: float) -> float:
    guardrail, question = build_guardrail(ValidationSettings()), guarded_answers.question()
    draft, judged = Draft(text), 0
    began, until = time.process_time(), time.monotonic() + seconds
    while time.monotonic() < until:
        conclusion = guardrail.judge(draft, question)
        judged += 1
    assert conclusion.verdict is Verdict.PASS
    return (time.process_time() - began) / judged * 1000
