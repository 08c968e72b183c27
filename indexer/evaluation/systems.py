"""What is compared: each leg alone, ways of fusing them, and what no fusion can be better than."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from indexer.evaluation.asking import AskedQuestion, targets_of
from indexer.evaluation.corpus_index import WrittenCorpus
from shared.retrieval.asking.fusing import fuse
from shared.retrieval.legs import LegName
from shared.search.query import Dbsf, Rrf

DEFAULT: Final = "default"
ORACLE: Final = "oracle"
REFERENCE: Final = "reference"
AMONG: Final = "default, of what the reference has"
"""Without what the reference does not know of, such as code outside of functions: a condensed list
(Sakai, Alternatives to Bpref, SIGIR 2007).
"""
LEGS: Final = (LegName.TEXT, LegName.CODE, LegName.WORDS)
_ORACLE_DEPTH: Final = 10


class FusedSystem(msgspec.Struct, frozen=True):
    """One way of making one list of several."""

    name: str
    weights: Mapping[LegName, float]
    fusion: Rrf | Dbsf

    def ranking(self, asked: AskedQuestion) -> Iterable[str]:
        """Ids of passages, the best first."""
        legs = {name: ranking for name, ranking in asked.legs.items() if name in self.weights}
        scores = fuse(legs, self.weights, self.fusion)
        return sorted(scores, key=lambda id_: (-scores[id_], id_))


def _weights(text: float, code: float, words: float) -> Mapping[LegName, float]:
    every = zip(LEGS, (text, code, words), strict=True)
    return {name: weight for name, weight in every if weight}


FUSED: Final = (
    FusedSystem("dbsf text+code+words", _weights(1, 1, 1), Dbsf()),
    FusedSystem("dbsf text+words", _weights(1, 0, 1), Dbsf()),
    FusedSystem("dbsf code+words", _weights(0, 1, 1), Dbsf()),
    FusedSystem("dbsf words doubled", _weights(1, 1, 2), Dbsf()),
    FusedSystem("dbsf text doubled", _weights(2, 1, 1), Dbsf()),
    FusedSystem("dbsf code doubled", _weights(1, 2, 1), Dbsf()),
    FusedSystem("rrf k=60", _weights(1, 1, 1), Rrf(60)),
    FusedSystem("rrf k=20", _weights(1, 1, 1), Rrf(20)),
    FusedSystem("rrf k=5", _weights(1, 1, 1), Rrf(5)),
    FusedSystem("rrf k=5 words doubled", _weights(1, 1, 2), Rrf(5)),
)
"""The best of them on one half is reported on the other."""


def rankings(
    asked: AskedQuestion, written: WrittenCorpus, known: frozenset[str]
) -> Mapping[str, Sequence[str]]:
    """Targets, the best first, of every system; `known` are those that the reference has."""
    legs: dict[str, Sequence[str]] = {
        name: targets_of((id_ for id_, _ in asked.legs[name]), written) for name in LEGS
    }
    fused = {each.name: targets_of(each.ranking(asked), written) for each in FUSED}
    return {
        **legs,
        **fused,
        DEFAULT: asked.default,
        ORACLE: _oracle(asked, legs),
        **(_beside_the_reference(asked, written, known) if known else {}),
    }


def _beside_the_reference(
    asked: AskedQuestion, written: WrittenCorpus, known: frozenset[str]
) -> Mapping[str, Sequence[str]]:
    found: dict[str, Sequence[str]] = {REFERENCE: asked.reference}
    if not known.issuperset(written.targets.values()):
        found[AMONG] = [each for each in asked.default if each in known]
    return found


def _oracle(asked: AskedQuestion, legs: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """The right ones among the first ten of any leg, in the best order: no fusion is better."""
    grades = asked.question.grades
    union = dict.fromkeys(each for ranking in legs.values() for each in ranking[:_ORACLE_DEPTH])
    return sorted(union, key=lambda each: -grades.get(each, 0.0))
