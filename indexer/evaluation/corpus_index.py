"""A corpus in the store as the indexer writes one: the same pieces, texts, vectors and words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from indexer.evaluation.following import EvaluationProgress
from indexer.evaluation.judged_set import JudgedPassage, JudgedSet
from indexer.evaluation.known_vectors import KnownVectors
from indexer.splitting.passage_texts import PassageTexts, passage_texts
from shared.embeddings.encoder import DualEncoders, EncoderPrompt
from shared.index.generation_name import generation_name
from shared.search.checking import LONGEST_BODY
from shared.search.folding import folded
from shared.search.generation import Generation
from shared.search.point import Passage, Point, Scope, point_id
from shared.search.vector_store import VectorStore

_PORTION: Final = 256


class WrittenCorpus(msgspec.Struct, frozen=True):
    """Where it is, and what its points are."""

    scope: Scope
    collection: str
    targets: dict[str, str]
    """By the point's id."""
    passages: dict[str, Passage]


class CorpusIndex:
    """Writes each corpus once: a tenant of its own, so rare words are counted in it alone."""

    def __init__(
        self,
        store: VectorStore,
        encoders: DualEncoders,
        vectors: KnownVectors,
        progress: EvaluationProgress,
    ) -> None:
        self._store = store
        self._encoders = encoders
        self._vectors = vectors
        self._progress = progress
        self._written: dict[str, WrittenCorpus] = {}

    async def written(self, judged: JudgedSet) -> WrittenCorpus:
        """The corpus of a set; raises what encoders and stores raise."""
        if judged.corpus not in self._written:
            self._written[judged.corpus] = await self._write(judged)
        return self._written[judged.corpus]

    async def _write(self, judged: JudgedSet) -> WrittenCorpus:
        text, code = self._encoders
        texts = [passage_texts(each.chunk) for each in judged.passages]
        for_code = [each.for_code for each in texts if each.for_code is not None]
        learn, prompt = self._vectors.learn, EncoderPrompt.PASSAGE
        await learn(
            f"{judged.corpus}: text vectors", text, [t.for_text for t in texts], prompt=prompt
        )
        await learn(f"{judged.corpus}: code vectors", code, for_code, prompt=prompt)
        generation = Generation(
            generation_name(text.name, code.name), text.dimensions, code.dimensions
        )
        await self._store.create(generation)
        scope = Scope(generation.name, judged.corpus)
        self._progress.begin(f"{judged.corpus}: writing", len(texts))
        written = WrittenCorpus(scope, f"vs_{judged.corpus}", {}, {})
        points = [*self._points(judged, texts, written.collection)]
        for begun in range(0, len(points), _PORTION):
            portion = points[begun : begun + _PORTION]
            await self._store.upsert(scope, [point for _, point in portion])
            for target, point in portion:
                written.targets[point.id] = target
                written.passages[point.id] = point.passage
            self._progress.advance(len(portion))
        return written

    def _points(
        self, judged: JudgedSet, texts: list[PassageTexts], collection: str
    ) -> Iterator[tuple[str, Point]]:
        equal: Counter[tuple[str, str]] = Counter()
        for each, made in zip(judged.passages, texts, strict=True):
            key = each.chunk.key()
            id_ = point_id(
                tenant=judged.corpus,
                source=collection,
                document=each.path,
                key=key,
                ordinal=equal[each.path, key],
            )
            equal[each.path, key] += 1
            yield each.target, self._point(id_, each, made, collection)

    def _point(self, id_: str, judged: JudgedPassage, made: PassageTexts, collection: str) -> Point:
        chunk, (text, code) = judged.chunk, self._encoders
        passage = Passage(
            collection=collection,
            document=judged.path,
            source="posted",
            path=judged.path,
            language=chunk.language,
            kind=chunk.kind,
            ver=1,
            body=folded(made.body[:LONGEST_BODY])[:LONGEST_BODY],
            header=chunk.header,
            symbol=chunk.symbol,
            first_line=chunk.first_line,
            last_line=chunk.last_line,
        )
        return Point(
            id_,
            passage,
            text_vector=self._vectors.of(text, made.for_text),
            code_vector=None if made.for_code is None else self._vectors.of(code, made.for_code),
        )
