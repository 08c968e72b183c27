"""An evaluation of the search from its sets to its report."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from indexer.evaluation.asking import AskedQuestion, SetAsking
from indexer.evaluation.corpus_index import CorpusIndex
from indexer.evaluation.following import EvaluationProgress
from indexer.evaluation.judged_set import JudgedSet, MissingSet, WholeDocuments
from indexer.evaluation.known_vectors import KnownVectors, RememberingEncoder
from indexer.evaluation.measuring import measured
from indexer.evaluation.probes import AbsenceProbes
from indexer.evaluation.product_ground import ProductGround, open_product
from indexer.evaluation.reference.reference_search import ReferenceSearch
from indexer.evaluation.report import EvaluationReport, SetReport, reported
from indexer.evaluation.set_building import EvaluationPlan, built_sets
from shared.clock import Clock
from shared.embeddings.encoder import DualEncoders
from shared.embeddings.opening import open_encoders
from shared.evaluation.run import EvaluationRun
from shared.evaluation.run_folder import RunFolder
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.query import Dbsf, Rrf
from shared.settings import Settings
from shared.settings.indexing.search import FusionKind, SearchSettings


class SearchEvaluation:
    """Measures the search of these settings on the embedded engine, in folders that go again.

    Nothing of an index that is there is read or written, and no server but an encoder's is asked.
    """

    def __init__(
        self, settings: Settings, runs: RunFolder, clock: Clock, progress: EvaluationProgress
    ) -> None:
        self._settings = settings
        self._runs = runs
        self._clock = clock
        self._progress = progress

    async def run(self, plan: EvaluationPlan) -> EvaluationReport:
        """Raises InvalidRequest of what the plan names, EncoderUnavailable, and Unavailable."""
        self._progress.begin("finding questions", 1)
        built = built_sets(plan)
        self._progress.advance(1)
        reports: list[SetReport] = []
        async with open_encoders(self._settings.embeddings) as encoders:
            judged = [each for each in built if isinstance(each, JudgedSet)]
            reports += await self._sets(plan, judged, encoders)
            if plan.probes:
                reports += await self._probes(plan, encoders)
        missing = tuple(each for each in built if isinstance(each, MissingSet))
        return EvaluationReport(tuple(reports), missing)

    async def _sets(
        self, plan: EvaluationPlan, judged: list[JudgedSet], encoders: DualEncoders
    ) -> list[SetReport]:
        reports = []
        search, vectors = self._settings.search, KnownVectors(self._progress)
        known = DualEncoders(*(RememberingEncoder(each, vectors) for each in encoders))
        with TemporaryDirectory(prefix="forebay-eval-") as folder:
            store = EmbeddedStore(Path(folder))
            index = CorpusIndex(store, encoders, vectors, self._progress)
            asking = SetAsking(
                *(store, encoders, vectors, self._progress),
                fusion=_fusion(search),
                depth=search.depth,
            )
            reference = ReferenceSearch(encoders, vectors, self._progress)
            try:
                for each in judged:
                    begun, read = time.monotonic(), vectors.tokens
                    written = await index.written(each)
                    asked = await asking.ask(each, written)
                    if each.whole is not None:
                        asked = await self._of_the_product(each, each.whole, asked, known)
                    if each.reference:
                        asked = _beside(asked, await reference.rankings(each))
                    conditions = self._conditions() | {
                        "seconds": f"{time.monotonic() - begun:.0f}",
                        "tokens": str(vectors.tokens - read),
                    }
                    run = measured(
                        *(each, written, asked),
                        at=self._clock.now(),
                        settings=_settings_of(plan, encoders),
                        conditions=conditions,
                    )
                    reports.append(self._kept(run))
            finally:
                await store.close()
        return reports

    async def _of_the_product(
        self,
        judged: JudgedSet,
        whole: WholeDocuments,
        asked: list[AskedQuestion],
        known: DualEncoders,
    ) -> list[AskedQuestion]:
        """The same with the default asked of a whole product, which has names of code in SQL."""
        async with self._product(known) as ground:
            for path, text in whole.texts.items():
                ground.write(path, text)
            self._progress.begin(f"{judged.name}: indexing", len(whole.texts))
            await ground.index()
            self._progress.begin(f"{judged.name}: asking the product", len(asked))
            answered = []
            for each in asked:
                default = await ground.targets(each.question.text, whole.targets)
                answered.append(msgspec.structs.replace(each, default=tuple(default)))
                self._progress.advance(1)
        return answered

    @asynccontextmanager
    async def _product(self, encoders: DualEncoders) -> AsyncIterator[ProductGround]:
        with TemporaryDirectory(prefix="forebay-eval-") as folder:
            async with open_product(self._settings, Path(folder), encoders, self._clock) as ground:
                yield ground

    async def _probes(self, plan: EvaluationPlan, encoders: DualEncoders) -> list[SetReport]:
        async with self._product(encoders) as ground:
            runs = await AbsenceProbes(ground, self._progress).run(
                plan.probes,
                plan.limit,
                at=self._clock.now(),
                settings=_settings_of(plan, encoders),
            )
        told = self._conditions()
        return [self._kept(msgspec.structs.replace(each, conditions=told)) for each in runs]

    def _kept(self, run: EvaluationRun) -> SetReport:
        last = self._runs.last(run)
        return reported(run, last, stored=str(self._runs.store(run)))

    def _conditions(self) -> dict[str, str]:
        search = self._settings.search
        return {
            "forebay": version("forebay"),
            "python": platform.python_version(),
            "cores": str(os.cpu_count()),
            "load": f"{os.getloadavg()[0]:.1f}",
            "fusion": msgspec.json.encode(_fusion(search)).decode(),
            "depth": str(search.depth),
        }


def _beside(
    asked: Sequence[AskedQuestion], reference: Sequence[tuple[str, ...]]
) -> list[AskedQuestion]:
    pairs = zip(asked, reference, strict=True)
    return [msgspec.structs.replace(each, reference=found) for each, found in pairs]


def _settings_of(plan: EvaluationPlan, encoders: DualEncoders) -> dict[str, str]:
    return {
        "limit": str(plan.limit),
        "text_encoder": encoders.text.name,
        "code_encoder": encoders.code.name,
    }


def _fusion(search: SearchSettings) -> Rrf | Dbsf:
    return Rrf(search.rrf_k) if search.fusion is FusionKind.RRF else Dbsf()
