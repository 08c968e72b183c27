"""Every question asked of every leg by itself, and as the product asks it by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from indexer.evaluation.corpus_index import WrittenCorpus
from indexer.evaluation.following import EvaluationProgress
from indexer.evaluation.judged_set import JudgedQuestion, JudgedSet
from indexer.evaluation.known_vectors import KnownVectors
from shared.embeddings.encoder import DualEncoders, EncoderPrompt
from shared.errors import Unavailable
from shared.retrieval.asking.fusing import Ranking
from shared.retrieval.asking.generation_search import GenerationSearch
from shared.retrieval.asking.question import LegQuestion
from shared.retrieval.asking.question_vectors import QuestionVector
from shared.retrieval.asking.store_legs import StoreLegs
from shared.retrieval.legs import OF_THE_STORE, LegName, LegReport
from shared.retrieval.routing import WEIGHTS, SearchMode, route_of
from shared.search.query import Dbsf, Rrf, Where
from shared.search.vector_store import VectorStore

_SECONDS: Final = 30.0
_AT_ONCE: Final = 4


class AskedQuestion(msgspec.Struct, frozen=True):
    """What was found for one question: ids of passages, the best first."""

    question: JudgedQuestion
    legs: Mapping[LegName, Ranking]
    default: tuple[str, ...]
    """By the rules of routing and the fusion that is set, in the engine where the product has it
    so; the names of targets.
    """
    reference: tuple[str, ...] = ()
    """By the search that ours is held against; the names of targets."""


class SetAsking:
    """Asks the store's three legs; the rest of a search is the same for all of them."""

    def __init__(
        self,
        store: VectorStore,
        encoders: DualEncoders,
        vectors: KnownVectors,
        progress: EvaluationProgress,
        *,
        fusion: Rrf | Dbsf,
        depth: int,
    ) -> None:
        self._search = GenerationSearch(StoreLegs(store, timeout_seconds=_SECONDS))
        self._encoders = encoders
        self._vectors = vectors
        self._progress = progress
        self._fusion = fusion
        self._depth = depth

    async def ask(self, judged: JudgedSet, written: WrittenCorpus) -> list[AskedQuestion]:
        """In the order of the questions. Raises EncoderUnavailable, and Unavailable of a leg."""
        texts = [each.text for each in judged.questions]
        for encoder in {each.name: each for each in self._encoders}.values():
            step = f"{judged.name}: questions' vectors"
            await self._vectors.learn(step, encoder, texts, prompt=EncoderPrompt.QUERY)
        self._progress.begin(f"{judged.name}: asking", len(texts))
        asked: list[AskedQuestion] = []
        for begun in range(0, len(texts), _AT_ONCE):
            some = judged.questions[begun : begun + _AT_ONCE]
            asked += await asyncio.gather(*(self.ask_one(each, written) for each in some))
            self._progress.advance(len(some))
        return asked

    async def ask_one(self, question: JudgedQuestion, written: WrittenCorpus) -> AskedQuestion:
        """The vectors of its text were learnt."""
        every = dict.fromkeys((LegName.TEXT, LegName.CODE, LegName.WORDS), 1.0)
        legs = await self._legs(question.text, written, every)
        default = await self._default(question.text, written)
        return AskedQuestion(question, legs, tuple(targets_of(default, written)))

    async def _legs(
        self, text: str, written: WrittenCorpus, weights: Mapping[LegName, float]
    ) -> Mapping[LegName, Ranking]:
        answer = await self._search.ask(
            written.scope, self._question(text, written, weights, explain=True)
        )
        _require_all(answer.reports)
        lists: dict[LegName, list[tuple[int, str, float]]] = {name: [] for name in weights}
        for each in answer.candidates:
            for name, found in each.legs.items():
                lists[name].append((found.rank, each.id, found.score))
        return {
            name: [(id_, score) for _, id_, score in sorted(found)] for name, found in lists.items()
        }

    async def _default(self, text: str, written: WrittenCorpus) -> tuple[str, ...]:
        """As `Search` does it: where a rule's legs find nothing the others are asked as well."""
        for weights in (route_of(text).weights, WEIGHTS[SearchMode.MIXED]):
            there = {name: weight for name, weight in weights.items() if name in OF_THE_STORE}
            asked = self._question(text, written, there, explain=False)
            answer = await self._search.ask(written.scope, asked)
            _require_all(answer.reports)
            if answer.candidates:
                best = sorted(answer.candidates, key=lambda each: (-each.score, each.id))
                return tuple(each.id for each in best[: self._depth])
        return ()

    def _question(
        self, text: str, written: WrittenCorpus, weights: Mapping[LegName, float], *, explain: bool
    ) -> LegQuestion:
        encoders = {LegName.TEXT: self._encoders.text, LegName.CODE: self._encoders.code}
        vectors = {
            name: QuestionVector(self._vectors.of(encoder, text, prompt=EncoderPrompt.QUERY))
            for name, encoder in encoders.items()
            if name in weights
        }
        where = Where(collection=(written.collection,))
        return LegQuestion(
            *(text, (written.collection,), where, weights, vectors),
            *(self._fusion, self._depth, self._depth, explain),
        )


def targets_of(ids: Iterable[str], written: WrittenCorpus) -> list[str]:
    """Each target where the first of its passages stands."""
    return [*dict.fromkeys(written.targets[id_] for id_ in ids)]


def _require_all(reports: Sequence[LegReport]) -> None:
    """A figure without one of the legs would be of something else."""
    for each in reports:
        if each.dropped:
            raise Unavailable(
                f"The leg {each.name} did not answer ({each.dropped}): measure again."
            )
