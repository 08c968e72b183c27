"""The search of our design notes, written anew: every document is looked at, nothing is cut."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from indexer.evaluation.following import EvaluationProgress
from indexer.evaluation.judged_set import JudgedQuestion, JudgedSet, ReferenceDocument
from indexer.evaluation.known_vectors import KnownVectors
from indexer.evaluation.reference.bm25 import Bm25
from indexer.evaluation.reference.reference_words import stems_of
from shared.embeddings.encoder import DualEncoders, Encoder, EncoderPrompt

if TYPE_CHECKING:
    import numpy
    import numpy.typing

    Numbers = numpy.typing.NDArray[numpy.float32]

_DEPTH: Final = 100
_AT_ONCE: Final = 256


class ReferenceSearch:
    """Two vectors and BM25, each leg's best hundred scaled between their least and their most.

    Shares nothing with the product but the encoders, and the vectors of texts that are equal.
    """

    def __init__(
        self, encoders: DualEncoders, vectors: KnownVectors, progress: EvaluationProgress
    ) -> None:
        self._encoders = encoders
        self._vectors = vectors
        self._progress = progress

    async def rankings(self, judged: JudgedSet) -> list[tuple[str, ...]]:
        """Of each question in order the names of documents, the best first, and for the one that
        answers it the target; the questions' vectors are learnt.

        A passage of ours may hold several functions: the neighbour of the right one is not right.
        Raises EncoderUnavailable.
        """
        text, code = self._encoders
        documents = judged.reference
        words = Bm25([stems_of(each.words) for each in documents])
        legs = [
            await self._leg(judged, text, [each.for_text for each in documents]),
            await self._leg(judged, code, [each.for_code for each in documents]),
        ]
        self._progress.begin(f"{judged.name}: asking the reference", len(judged.questions))
        found: list[tuple[str, ...]] = []
        for begun in range(0, len(judged.questions), _AT_ONCE):
            some = judged.questions[begun : begun + _AT_ONCE]
            near = [self._near(leg, one, some) for leg, one in zip(legs, (text, code), strict=True)]
            for place, each in enumerate(some):
                lists = [_best(rows[place]) for rows in near if rows is not None]
                lists.append(_best(words.scores(stems_of(each.text))))
                found.append(_fused(lists, documents, each))
            self._progress.advance(len(some))
        return found

    async def _leg(
        self, judged: JudgedSet, encoder: Encoder, texts: Sequence[str | None]
    ) -> Numbers | None:
        """The vectors of all documents, none where they have no such text."""
        there = [each for each in texts if each is not None]
        if not there:
            return None
        step = f"{judged.name}: vectors of the reference"
        await self._vectors.learn(step, encoder, there, prompt=EncoderPrompt.PASSAGE)
        return self._matrix(encoder, there, EncoderPrompt.PASSAGE)

    def _near(
        self, leg: Numbers | None, encoder: Encoder, questions: Sequence[JudgedQuestion]
    ) -> Numbers | None:
        if leg is None:
            return None
        asked = self._matrix(encoder, [each.text for each in questions], EncoderPrompt.QUERY)
        return asked @ leg.T

    def _matrix(self, encoder: Encoder, texts: Sequence[str], prompt: EncoderPrompt) -> Numbers:
        import numpy

        made = numpy.empty((len(texts), encoder.dimensions), numpy.float32)
        for place, each in enumerate(texts):
            made[place] = self._vectors.of(encoder, each, prompt=prompt)
        made /= numpy.maximum(numpy.linalg.norm(made, axis=1, keepdims=True), 1e-9)
        return made


def _best(scores: Numbers) -> list[tuple[int, float]]:
    """Places of the best, with their scores; what has none of the words is not among them."""
    import numpy

    most = min(_DEPTH, len(scores))
    places = numpy.argpartition(-scores, most - 1)[:most]
    ordered = places[numpy.lexsort((places, -scores[places]))]
    return [(int(each), float(scores[each])) for each in ordered if scores[each] > 0]


def _fused(
    lists: Sequence[list[tuple[int, float]]],
    documents: Sequence[ReferenceDocument],
    asked: JudgedQuestion,
) -> tuple[str, ...]:
    sums: defaultdict[int, float] = defaultdict(float)
    for each in lists:
        for place, share in _scaled(each):
            sums[place] += share
    best = sorted(sums, key=lambda place: (-sums[place], place))
    ranked = (documents[place] for place in best)
    return tuple(each.target if each.name == asked.document else each.name for each in ranked)


def _scaled(ranked: list[tuple[int, float]]) -> Iterator[tuple[int, float]]:
    """Min-max: the first is 1, the last 0."""
    if ranked:
        most, least = ranked[0][1], ranked[-1][1]
        width = most - least
        yield from ((each, (score - least) / width if width else 1.0) for each, score in ranked)
