"""The sets that can be asked for, by their names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from indexer.evaluation.judged_set import JudgedSet, MissingSet
from indexer.evaluation.measuring import METRICS
from indexer.evaluation.probes import ABSENCE, DELETED, RENAMED
from indexer.evaluation.sets.beir import BEIR, beir
from indexer.evaluation.sets.git_history import COMMITS, commits
from indexer.evaluation.sets.manual import MANUAL, manual
from indexer.evaluation.sets.python_library import DOCSTRINGS, SYMBOLS, docstrings, symbols
from shared.errors import InvalidRequest

PROBES: Final = (DELETED, RENAMED)
SETS: Final = (DOCSTRINGS, SYMBOLS, MANUAL, COMMITS, BEIR, *PROBES)


class EvaluationPlan(msgspec.Struct, frozen=True):
    """What is measured."""

    sets: tuple[str, ...] = SETS
    limit: int = 100
    """Documents of each set; 0 takes all."""
    checkout: Path | None = None
    beir: Path | None = None

    @property
    def probes(self) -> tuple[str, ...]:
        """Those that are no questions with answers."""
        return tuple(each for each in self.sets if each in PROBES)


def check_names(names: tuple[str, ...]) -> None:
    """Raises InvalidRequest with those that there are."""
    for each in names:
        if each not in SETS:
            raise InvalidRequest(
                f"--sets {each}: there is no such set. Name some of {', '.join(SETS)}.",
                param="sets",
            )


def check_metric(metric: str, names: tuple[str, ...]) -> None:
    """Raises InvalidRequest where none of these sets is measured by it."""
    known = {*METRICS} if any(each not in PROBES for each in names) else set()
    if any(each in PROBES for each in names):
        known |= {ABSENCE}
    if metric not in known:
        raise InvalidRequest(
            f"--fail-under {metric}: these sets have no such metric. Name one of "
            f"{', '.join(sorted(known))}.",
            param="fail_under",
        )


def built_sets(plan: EvaluationPlan) -> list[JudgedSet | MissingSet]:
    """In the order of SETS; a set without questions is a missing one. Raises InvalidRequest."""
    builders: dict[str, Callable[[], JudgedSet | MissingSet]] = {
        DOCSTRINGS: lambda: docstrings(plan.limit),
        SYMBOLS: lambda: symbols(plan.limit),
        MANUAL: lambda: manual(plan.limit),
        COMMITS: lambda: commits(plan.checkout, plan.limit),
        BEIR: lambda: _beir(plan),
    }
    built = [build() for name, build in builders.items() if name in plan.sets]
    return [_with_questions(each) for each in built]


def _beir(plan: EvaluationPlan) -> JudgedSet | MissingSet:
    if plan.beir is None:
        return MissingSet(BEIR, "No folder in BEIR's format is named: give one with --beir.")
    return beir(plan.beir, plan.limit)


def _with_questions(built: JudgedSet | MissingSet) -> JudgedSet | MissingSet:
    if isinstance(built, JudgedSet) and not built.questions:
        why = f"There is no question among {built.documents} documents: take more with --limit."
        return MissingSet(built.name, why)
    return built
