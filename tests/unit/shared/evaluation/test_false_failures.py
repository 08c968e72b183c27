"""A gate on versions that do not differ: recorded results, drawn again 400 times, no calls.

`recorded_results.json` is what SmolLM2 135M said to 48 cases (the questions of the set `account`
with their facts in the text, each in two phrasings, temperature 1), asked three times through a
stack on 2026-11-30: of each case its id, its conversation, and whether its pattern was matched.
A fifth were, and 14 cases came out one way and another.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from shared.evaluation.kept_run import Figure
from shared.evaluation.paired.case_figures import CaseFigures
from shared.evaluation.paired.gate import GateVerdict, no_worse

RECORDED = Path(__file__).with_name("recorded_results.json")
COMPARISONS = 400
Recorded = list[tuple[str, str, list[int]]]


@pytest.fixture(scope="module")
def by_conversation() -> dict[str, Recorded]:
    grouped: dict[str, Recorded] = {}
    for case, conversation, passed in json.loads(RECORDED.read_text()):
        grouped.setdefault(conversation, []).append((case, conversation, passed))
    return grouped


def drawn(
    by_conversation: dict[str, Recorded], dice: random.Random
) -> tuple[dict[str, CaseFigures], dict[str, CaseFigures]]:
    """Two versions that are one: of each case two of its answers, of conversations drawn again."""
    runs: tuple[dict[str, CaseFigures], dict[str, CaseFigures]] = ({}, {})
    names = sorted(by_conversation)
    for place, name in enumerate(dice.choices(names, k=len(names))):
        for case, _, passed in by_conversation[name]:
            for run, said in zip(runs, dice.sample(passed, 2), strict=True):
                run[f"{place}/{case}"] = CaseFigures(
                    case_id=case, conversation=str(place), weight=1.0, success=float(said)
                )
    return runs


@pytest.mark.parametrize("margin", [0.0, 0.05])
def test_of_400_comparisons_of_equal_versions_at_most_2_percent_fail(
    by_conversation: dict[str, Recorded], margin: float
) -> None:
    dice, failed = random.Random(12), 0
    for _ in range(COMPARISONS):
        before, after = drawn(by_conversation, dice)
        finding = no_worse(Figure.TASK_COMPLETION, before, after, margin=margin)
        failed += finding.verdict is GateVerdict.FAIL
    assert failed <= COMPARISONS * 0.02


def test_a_version_that_lost_what_this_one_can_is_failed(
    by_conversation: dict[str, Recorded],
) -> None:
    """The same gate is no gate that never fails."""
    before, _ = drawn(by_conversation, random.Random(12))
    lost = {
        case: CaseFigures(
            case_id=each.case_id, conversation=each.conversation, weight=1.0, success=0.0
        )
        for case, each in before.items()
    }
    assert no_worse(Figure.TASK_COMPLETION, before, lost, margin=0.0).verdict is GateVerdict.FAIL
