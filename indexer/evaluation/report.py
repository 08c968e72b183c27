"""What an evaluation says: every system on both halves, and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from indexer.evaluation.judged_set import MissingSet
from indexer.evaluation.measuring import NDCG
from indexer.evaluation.systems import AMONG, DEFAULT, FUSED, LEGS, REFERENCE
from shared.evaluation.bootstrap import Bootstrap, Estimate
from shared.evaluation.comparing import RunComparison, compare_runs
from shared.evaluation.floor import Floor
from shared.evaluation.halves import CaseHalf
from shared.evaluation.run import EvaluationRun

TARGET: Final = 0.98
"""The least share of the reference's nDCG@10 that the default is to have."""


class SystemFigures(msgspec.Struct, frozen=True):
    """One system's means, by metric; empty where a half has no question."""

    name: str
    tuned: dict[str, Estimate]
    held_out: dict[str, Estimate]


class ReferenceShare(msgspec.Struct, frozen=True):
    """A system's nDCG@10 as a share of the reference's."""

    share: Estimate
    target: float
    is_reached: bool


class SetReport(msgspec.Struct, frozen=True):
    """One set, or one probe."""

    name: str
    settings: dict[str, str]
    conditions: dict[str, str]
    questions: dict[str, int]
    systems: tuple[SystemFigures, ...]
    chosen: str | None
    """The fusion that was best on the tuned half."""
    margins: dict[str, Estimate]
    """By how much the default's nDCG@10 is above each leg's, and the chosen one's, on the held-out
    half.
    """
    to_reference: dict[str, ReferenceShare]
    """Of the default, and of the default on what the reference has where that is not all, on the
    held-out half.
    """
    since_last: RunComparison | None
    stored: str

    def figures(self, system: str) -> SystemFigures:
        """Of one system; it must be there."""
        return next(each for each in self.systems if each.name == system)


class EvaluationReport(msgspec.Struct, frozen=True):
    """All that was measured, and what could not be."""

    sets: tuple[SetReport, ...]
    missing: tuple[MissingSet, ...]

    def below(self, floor: Floor) -> list[str]:
        """A sentence for each set where the default's held-out mean is below it."""
        found = []
        for each in self.sets:
            figures = each.figures(DEFAULT)
            told = (figures.held_out or figures.tuned).get(floor.metric)
            if told is not None and told.mean < floor.least:
                found.append(
                    f"{each.name}: {floor.metric} is {told.mean:.3f}, below {floor.least:g}."
                )
        return found


def reported(run: EvaluationRun, last: EvaluationRun | None, *, stored: str) -> SetReport:
    """The report of one run, beside the last of its kind."""
    tuned, held_out = run.of(CaseHalf.TUNED), run.of(CaseHalf.HELD_OUT)
    of_tuned, of_held_out = _means(tuned), _means(held_out)
    chosen = max(
        (each.name for each in FUSED if each.name in of_tuned),
        key=lambda name: of_tuned[name][NDCG].mean,
        default=None,
    )
    metric = next(iter(run.systems[DEFAULT]))
    return SetReport(
        name=run.set_name,
        settings=run.settings,
        conditions=run.conditions,
        questions={CaseHalf.TUNED: len(tuned.cases), CaseHalf.HELD_OUT: len(held_out.cases)},
        systems=tuple(
            SystemFigures(name, of_tuned.get(name, {}), of_held_out.get(name, {}))
            for name in run.systems
        ),
        chosen=chosen,
        margins=_margins(held_out, chosen),
        to_reference=_to_reference(held_out),
        since_last=compare_runs(run, last, metric=metric) if last else None,
        stored=stored,
    )


def _means(run: EvaluationRun) -> Mapping[str, dict[str, Estimate]]:
    if not run.cases:
        return {}
    bootstrap = Bootstrap(len(run.cases))
    return {
        system: {metric: bootstrap.mean(values) for metric, values in metrics.items()}
        for system, metrics in run.systems.items()
    }


def _to_reference(run: EvaluationRun) -> dict[str, ReferenceShare]:
    if not run.cases or REFERENCE not in run.systems:
        return {}
    bootstrap = Bootstrap(len(run.cases))
    theirs = run.systems[REFERENCE][NDCG]
    shares = {
        name: bootstrap.ratio(run.systems[name][NDCG], theirs)
        for name in (DEFAULT, AMONG)
        if name in run.systems and any(theirs)
    }
    return {name: ReferenceShare(of, TARGET, of.mean >= TARGET) for name, of in shares.items()}


def _margins(run: EvaluationRun, chosen: str | None) -> dict[str, Estimate]:
    others = [each for each in (*LEGS, chosen) if each in run.systems]
    if not run.cases or not others:
        return {}
    bootstrap = Bootstrap(len(run.cases))
    ours = run.systems[DEFAULT][NDCG]
    return {
        str(each): bootstrap.difference(ours, run.systems[each][NDCG]) for each in others if each
    }
