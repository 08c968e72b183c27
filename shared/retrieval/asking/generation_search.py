"""One question to one generation: every leg side by side, and their lists as one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from shared.retrieval.asking.fusing import fuse, most_of, scaled
from shared.retrieval.asking.question import LegAnswers, LegQuestion, Proposed, SearchLegs
from shared.retrieval.legs import OF_THE_STORE, LegName, LegReport
from shared.search.point import Passage, Scope
from shared.search.query import LegScore


class FoundCandidate(msgspec.Struct, frozen=True):
    """A passage that legs proposed; whether it may be shown is the ledger's to say."""

    generation: str
    id: str
    score: float
    passage: Passage
    legs: Mapping[LegName, LegScore]


class GenerationAnswer(NamedTuple):
    """The candidates in no order, and what became of each leg."""

    candidates: Sequence[FoundCandidate]
    reports: Sequence[LegReport]
    is_full: bool
    """Whether a leg gave as much as it was asked for: there may be more behind it."""

    @property
    def has_answered(self) -> bool:
        """Whether any leg did, be it with nothing."""
        return any(told.dropped is None for told in self.reports)


class GenerationSearch:
    """All legs at once, each with a deadline of its own; what misses it is named and left out."""

    def __init__(self, store: SearchLegs, *beside: SearchLegs) -> None:
        self._store = store
        self._beside = beside

    async def ask(self, scope: Scope, question: LegQuestion) -> GenerationAnswer:
        """The candidates of all legs that answered; none where none did."""
        alone = OF_THE_STORE.issuperset(question.weights)
        asking = [each.ask(scope, question, alone=alone) for each in (self._store, *self._beside)]
        answers = [each for each in await asyncio.gather(*asking) if each is not None]
        reports = [told for each in answers for told in each.reports]
        for each in answers:
            if each.fused is not None:
                candidates = _of_the_engine(scope, question, each, each.fused)
                most = min(question.wanted, question.depth)
                return GenerationAnswer(candidates, reports, len(candidates) >= most)
        lists = {name: found for each in answers for name, found in each.lists.items()}
        is_full = any(len(found) >= question.depth for found in lists.values())
        return GenerationAnswer([*_of_lists(scope, question, lists)], reports, is_full)


def _of_the_engine(
    scope: Scope, question: LegQuestion, answers: LegAnswers, fused: Sequence[Proposed]
) -> list[FoundCandidate]:
    answered = [each.name for each in answers.reports if not each.dropped]
    weights = [question.weights[name] for name in answered if name in OF_THE_STORE]
    most = most_of(weights, question.fusion)
    return [
        FoundCandidate(
            scope.generation, each.id, scaled(each.score, most, question.fusion), each.passage, {}
        )
        for each in fused
    ]


def _of_lists(
    scope: Scope, question: LegQuestion, lists: Mapping[LegName, Sequence[Proposed]]
) -> Iterator[FoundCandidate]:
    rankings = {name: [(each.id, each.score) for each in found] for name, found in lists.items()}
    scores = fuse(rankings, question.weights, question.fusion)
    # The vector store's passages go before the keyword server's, which learns of a move later.
    passages = {
        each.id: each.passage for name in reversed(tuple(LegName)) for each in lists.get(name, ())
    }
    places = {
        name: {passage: LegScore(rank, score) for rank, (passage, score) in enumerate(ranking, 1)}
        for name, ranking in rankings.items()
    }
    for each, score in scores.items():
        legs = {name: ranks[each] for name, ranks in places.items() if each in ranks}
        yield FoundCandidate(scope.generation, each, score, passages[each], legs)
