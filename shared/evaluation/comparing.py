"""What changed since the last run, case by case."""

from __future__ import annotations

from datetime import datetime

import msgspec

from shared.evaluation.bootstrap import Bootstrap, Estimate
from shared.evaluation.run import EvaluationRun


class RunComparison(msgspec.Struct, frozen=True):
    """Of each system that both runs have: by how much it is better now."""

    since: datetime
    cases: int
    """Those that both have."""
    changes: dict[str, Estimate]


def compare_runs(now: EvaluationRun, before: EvaluationRun, *, metric: str) -> RunComparison:
    """On the cases that both have; what only one of them has is left out."""
    shared = sorted({*now.cases} & {*before.cases})
    changes: dict[str, Estimate] = {}
    if shared:
        ours, theirs = now.in_order(shared).systems, before.in_order(shared).systems
        bootstrap = Bootstrap(len(shared))
        changes = {
            name: bootstrap.difference(metrics[metric], theirs[name][metric])
            for name, metrics in ours.items()
            if metric in metrics and metric in theirs.get(name, {})
        }
    return RunComparison(before.at, len(shared), changes)
