"""One question to one generation: every leg side by side, and their lists as one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from shared.retrieval.asking.deadlines import Dropped
from shared.retrieval.asking.fusing import Ranking, fuse, most_of, scaled
from shared.retrieval.asking.question import LegAnswers, LegQuestion, SearchLegs
from shared.retrieval.asking.store_legs import StoreLegs
from shared.retrieval.legs import OF_THE_STORE, LegName, LegReport
from shared.search.point import Passage, Scope
from shared.search.query import Hit, LegScore
from shared.telemetry.tracing import SilentTracing, Tracing


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

    def __init__(
        self, store: StoreLegs, *beside: SearchLegs, tracing: Tracing | None = None
    ) -> None:
        self._store = store
        self._beside = beside
        self._tracing = tracing or SilentTracing()

    async def ask(self, scope: Scope, question: LegQuestion) -> GenerationAnswer:
        """The candidates of all legs that answered; none where none did."""
        alone = OF_THE_STORE.issuperset(question.weights)
        legs = (self._store, *self._beside)
        asking = [self._answers(each, scope, question, alone=alone) for each in legs]
        answers = [each for each in await asyncio.gather(*asking) if each is not None]
        for each in answers:
            if each.fused is not None:
                candidates = _of_the_engine(scope, question, each, each.fused)
                most = min(question.wanted, question.depth)
                return GenerationAnswer(candidates, each.reports, len(candidates) >= most)
        return await self._fused(scope, question, answers)

    async def _answers(
        self, legs: SearchLegs, scope: Scope, question: LegQuestion, *, alone: bool
    ) -> LegAnswers | None:
        """In a span that is called after the legs that are one request."""
        asked = [name for name in LegName if name in legs.names and name in question.weights]
        if not asked:
            return None
        attributes = {"forebay.generation": scope.generation}
        with self._tracing.span(f"search {'+'.join(asked)}", attributes=attributes) as span:
            answers = await legs.ask(scope, question, alone=alone)
            if answers is not None:
                dropped = [
                    f"{told.name}: {told.dropped}" for told in answers.reports if told.dropped
                ]
                span.set_attribute("forebay.search.dropped", dropped)
            return answers

    async def _fused(
        self, scope: Scope, question: LegQuestion, answers: Sequence[LegAnswers]
    ) -> GenerationAnswer:
        """The lists as one; of its best the passages are read, of the others they cost too much."""
        lists = {name: found for each in answers for name, found in each.lists.items()}
        rankings = {name: [(one.id, one.score) for one in found] for name, found in lists.items()}
        scores = fuse(rankings, question.weights, question.fusion)
        best = sorted(scores, key=lambda each: (-scores[each], each))[: question.wanted]
        passages = {key: said for each in answers for key, said in each.passages.items()}
        reports = [told for each in answers for told in each.reports]
        read = await self._store.read(scope, best)
        if isinstance(read, Dropped):
            reports = [_without_passages(told, read.reason) for told in reports]
        else:
            passages |= read  # the keyword server learns of a move later
        is_full = len(scores) > len(best) or any(
            len(found) >= question.depth for found in lists.values()
        )
        candidates = [*_candidates(scope, rankings, scores, best, passages)]
        return GenerationAnswer(candidates, reports, is_full)


def _of_the_engine(
    scope: Scope, question: LegQuestion, answers: LegAnswers, fused: Sequence[Hit]
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


def _candidates(
    scope: Scope,
    rankings: Mapping[LegName, Ranking],
    scores: Mapping[str, float],
    best: Sequence[str],
    passages: Mapping[str, Passage],
) -> Iterator[FoundCandidate]:
    places = {
        name: {passage: LegScore(rank, score) for rank, (passage, score) in enumerate(ranking, 1)}
        for name, ranking in rankings.items()
    }
    for each in best:
        if each in passages:
            legs = {name: ranks[each] for name, ranks in places.items() if each in ranks}
            yield FoundCandidate(scope.generation, each, scores[each], passages[each], legs)


def _without_passages(told: LegReport, reason: str) -> LegReport:
    """Of a leg that found ids alone, and the store does not say what they are of."""
    if told.name is LegName.KEYWORD:
        return told
    return msgspec.structs.replace(told, hits=None, dropped=told.dropped or reason)
