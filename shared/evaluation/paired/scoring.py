"""The four figures of a run, each with its interval."""

from __future__ import annotations

from collections.abc import Mapping

from shared.evaluation.bootstrap import Estimate
from shared.evaluation.kept_run import Figure
from shared.evaluation.paired.case_figures import CaseFigures
from shared.evaluation.paired.clusters import Clusters, ratio_of, widened


def scores_of(cases: Mapping[str, CaseFigures]) -> dict[Figure, Estimate]:
    """Those that can be reckoned: where no case says anything of a figure, it is not there."""
    scores = {each: score_of(each, cases) for each in Figure}
    return {figure: score for figure, score in scores.items() if score is not None}


def score_of(figure: Figure, cases: Mapping[str, CaseFigures]) -> Estimate | None:
    """One of them; None where no case says anything of it, or of costs where none succeeded."""
    known = [(each, parts) for each in cases.values() if (parts := each.parts(figure)) is not None]
    if not known:
        return None
    clusters = Clusters([each.conversation for each, _ in known])
    found = ratio_of([one for _, (one, _) in known], [two for _, (_, two) in known], clusters)
    if found is None or figure is Figure.COST_PER_SUCCESS:
        return found
    return widened(found, clusters.count)
