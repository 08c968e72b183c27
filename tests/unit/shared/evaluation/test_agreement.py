"""How far a judge agrees with people."""

from __future__ import annotations

import pytest

from shared.evaluation.judging.agreement import agreement_of
from shared.evaluation.judging.judge import judge_id


def test_kappa_is_that_of_the_textbooks() -> None:
    """Two readers of fifty proposals: 20 twice yes, 15 twice no, 5 and 10 in dispute."""
    pairs = [(True, True)] * 20 + [(True, False)] * 5
    pairs += [(False, True)] * 10 + [(False, False)] * 15
    equal, kappa = agreement_of(pairs)
    assert equal == pytest.approx(0.7)
    assert kappa == pytest.approx(0.4)


def test_who_always_says_the_same_has_no_kappa() -> None:
    assert agreement_of([(True, True), (False, True)]) == (0.5, None)
    with pytest.raises(ValueError, match="no verdict"):
        agreement_of([])


def test_a_judge_is_its_model_and_its_rubric() -> None:
    assert judge_id("m", "r") == judge_id("m", "r")
    assert len({judge_id("m", "r"), judge_id("n", "r"), judge_id("m", "s")}) == 3
