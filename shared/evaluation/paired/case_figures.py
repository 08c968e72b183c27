"""What the results of one case come to, all its repeats together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from shared.evaluation.kept_run import CaseResult, Figure

_NOBODY: Mapping[str, float] = {}


class CaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Means over the repeats of a case; each is None where it is not known of any."""

    case_id: str
    conversation: str
    weight: float
    success: float | None = None
    hallucinated: float | None = None
    satisfaction: float | None = None
    cost: float | None = None
    """US dollars of one of its repeats."""

    def parts(self, figure: Figure) -> tuple[float, float] | None:
        """What it adds to the figure's numerator and denominator; None where it says nothing."""
        if figure is Figure.COST_PER_SUCCESS:
            if self.cost is None or self.success is None:
                return None
            return self.weight * self.cost, self.weight * self.success
        shares = {
            Figure.TASK_COMPLETION: self.success,
            Figure.HALLUCINATION: self.hallucinated,
            Figure.SATISFACTION: self.satisfaction,
        }
        share = shares[figure]
        return None if share is None else (self.weight * share, self.weight)


def figures_of(
    results: Iterable[CaseResult], satisfaction: Mapping[str, float] = _NOBODY
) -> dict[str, CaseFigures]:
    """By case. `satisfaction` has what people said of a response, as 0..1, by its id."""
    by_case: dict[str, list[CaseResult]] = {}
    for each in results:
        by_case.setdefault(each.case_id, []).append(each)
    return {case: _of_case(repeats, satisfaction) for case, repeats in by_case.items()}


def _of_case(repeats: Sequence[CaseResult], satisfaction: Mapping[str, float]) -> CaseFigures:
    first = repeats[0]
    return CaseFigures(
        case_id=first.case_id,
        conversation=first.conversation,
        weight=first.weight,
        success=_mean(each.passed for each in repeats),
        hallucinated=_mean(each.hallucinated for each in repeats),
        satisfaction=_mean(satisfaction.get(each.response_id or "") for each in repeats),
        cost=_mean(None if each.cost is None else float(each.cost) for each in repeats),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [float(each) for each in values if each is not None]
    return sum(known) / len(known) if known else None
