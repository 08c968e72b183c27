"""Rankings held against judgements, case by case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from indexer.evaluation.asking import AskedQuestion
from indexer.evaluation.corpus_index import WrittenCorpus
from indexer.evaluation.judged_set import JudgedSet
from indexer.evaluation.systems import rankings
from shared.evaluation.metrics import ndcg, recall, reciprocal_rank
from shared.evaluation.run import EvaluationRun

SUBJECT: Final = "search"
NDCG: Final = "ndcg@10"
METRICS: Final[Mapping[str, Callable[[Sequence[str], Mapping[str, float]], float]]] = {
    NDCG: partial(ndcg, at=10),
    "mrr": partial(reciprocal_rank, at=100),
    "recall@10": partial(recall, at=10),
    "recall@100": partial(recall, at=100),
}


def measured(
    judged: JudgedSet,
    written: WrittenCorpus,
    asked: Sequence[AskedQuestion],
    *,
    at: datetime,
    settings: dict[str, str],
    conditions: dict[str, str],
) -> EvaluationRun:
    """The run of one set."""
    values: dict[str, dict[str, list[float]]] = {}
    known = frozenset(each.target for each in judged.reference)
    for each in asked:
        for system, ranking in rankings(each, written, known).items():
            metrics = values.setdefault(system, {name: [] for name in METRICS})
            for name, metric in METRICS.items():
                metrics[name].append(round(metric(ranking, each.question.grades), 6))
    return EvaluationRun(
        subject=SUBJECT,
        set_name=judged.name,
        settings=settings | {"origin": judged.origin, "documents": str(judged.documents)},
        conditions=conditions
        | {"passages": str(len(written.targets)), "questions": str(len(asked))},
        at=at,
        cases=tuple(each.question.id for each in asked),
        systems={
            system: {name: tuple(each) for name, each in metrics.items()}
            for system, metrics in values.items()
        },
    )
