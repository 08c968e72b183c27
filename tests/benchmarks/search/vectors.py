"""What int8 costs and saves beside float32: recall, time, memory, build; by `ef` and oversampling.

Recall@10 is of an exact scan of the floats. Each kind has a process of its own, one after another.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
import qdrant_edge as engine

from shared.search.generation import EF_CONSTRUCT, EF_SEARCH, LINKS, QUANTILE
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Better, Progress, Row
from tests.benchmarks.search.corpus import DIMENSIONS, NEAR, Corpus, Question, small_or_full

QUESTIONS: Final = 200
OF_FLOATS: Final = 0.99
OF_EXACT: Final = 0.98
BYTES_A_NUMBER: Final = 1.5
_EFS: Final = (16, 32, 64, EF_SEARCH, 128, 256, 512)
_OVERSAMPLINGS: Final = (1.0, 2.0, 3.0)
_QUOTED: Final = 11
_ROUNDS: Final = 3


class Found(msgspec.Struct, frozen=True):
    """One setting: how much of the exact ten it finds, and CPU milliseconds for a question."""

    recall: float
    milliseconds: float


class Kind(msgspec.Struct, frozen=True):
    """One way of keeping vectors, measured."""

    build_cpu: float
    bytes_a_number: float
    """Of what is searched, vectors and graph, over points times dimensions."""
    exact_milliseconds: float
    found: dict[tuple[int, float | None], Found]
    """By `ef` and oversampling; no oversampling: not scored again by the floats."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Rows for `EF_SEARCH`, for the smallest `ef` that is good enough, and the whole curve."""
    points = small_or_full(10_000, 100_000)
    say(f"{points:,} points as float32")
    floats = _alone(points, is_int8=False)
    say(f"{points:,} points as int8")
    int8 = _alone(points, is_int8=True)
    on = f"{points:,} x {DIMENSIONS}"
    yield from _summary(int8, floats, on)
    for (ef, oversampling), found in int8.found.items():
        beside = floats.found[ef, None]
        how = "not rescored" if oversampling is None else f"oversampling {oversampling:g}"
        recalls = f"recall@10 {found.recall:.3f}, float32 {beside.recall:.3f}"
        yield _time(f"int8, ef {ef}, {how}: {recalls}", on, found, beside.milliseconds)


def _summary(int8: Kind, floats: Kind, on: str) -> Iterator[Row]:
    usual, beside = int8.found[EF_SEARCH, 2.0], floats.found[EF_SEARCH, None]
    yield Row(
        what=f"int8 + rescoring, ef {EF_SEARCH}: recall@10",
        on=on,
        unit="",
        ours=usual.recall,
        stock=beside.recall,
        better=Better.HIGHER,
        target=OF_FLOATS,
    )
    good = [each for each in int8.found if int8.found[each].recall >= OF_EXACT]
    if good:
        least = min(good, key=lambda each: int8.found[each].milliseconds)
        what = f"cheapest that finds {OF_EXACT} of exact: ef {least[0]}, oversampling {least[1]}"
        yield _time(what, on, int8.found[least], floats.exact_milliseconds)
    times = floats.exact_milliseconds / usual.milliseconds
    quoted = f'"{_QUOTED}x": int8 graph beside an exact scan of floats is {times:.1f}x'
    yield _time(quoted, on, usual, floats.exact_milliseconds)
    times = beside.milliseconds / usual.milliseconds
    quoted = f'"{_QUOTED}x": int8 graph beside a float32 graph, same ef, is {times:.1f}x'
    yield _time(quoted, on, usual, beside.milliseconds)
    yield Row(
        what="vectors and graph, bytes a number",
        on=on,
        unit="B",
        ours=int8.bytes_a_number,
        stock=floats.bytes_a_number,
        limit=BYTES_A_NUMBER,
    )
    yield Row(
        what="graph, CPU to build",
        on=on,
        unit="s",
        ours=int8.build_cpu,
        stock=floats.build_cpu,
    )


def _time(what: str, on: str, found: Found, stock: float) -> Row:
    return Row(what=what, on=on, unit="ms", ours=found.milliseconds, stock=stock)


def _alone(points: int, *, is_int8: bool) -> Kind:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_measured, points, is_int8).result()


def _measured(points: int, is_int8: bool) -> Kind:
    corpus = Corpus(points)
    questions = corpus.questions(QUESTIONS, noise=NEAR)
    with TemporaryDirectory() as folder:
        shard = _filled(folder, corpus, is_int8=is_int8)
        began = time.process_time()
        shard.optimize()
        built = time.process_time() - began
        shard.flush()
        exact, truth = _asked(shard, questions, engine.SearchParams(exact=True))
        found = {}
        for ef in _EFS:
            for oversampling in (None, *_OVERSAMPLINGS) if is_int8 else (None,):
                params = engine.SearchParams(
                    hnsw_ef=ef,
                    quantization=engine.QuantizationSearchParams(
                        rescore=oversampling is not None, oversampling=oversampling
                    ),
                )
                milliseconds, ids = _asked(shard, questions, params)
                same = [len(some & all_) / 10 for some, all_ in zip(ids, truth, strict=True)]
                found[ef, oversampling] = Found(fmean(same), milliseconds)
        size = _searched_bytes(Path(folder), is_int8=is_int8) / points / DIMENSIONS
        shard.close()
    return Kind(built, size, exact, found)


def _filled(folder: str, corpus: Corpus, *, is_int8: bool) -> engine.EdgeShard:
    pinned = engine.ScalarQuantizationConfig(
        engine.ScalarType.Int8, quantile=QUANTILE, memory=engine.Memory.Pinned
    )
    config = engine.EdgeConfig(
        vectors={"text": engine.EdgeVectorParams(DIMENSIONS, engine.Distance.Cosine)},
        hnsw_config=engine.HnswIndexConfig(LINKS, EF_CONSTRUCT, 1, 1),
        quantization_config=pinned if is_int8 else None,
        optimizers=engine.EdgeOptimizersConfig(indexing_threshold=1),
    )
    shard = engine.EdgeShard.create(folder, config)
    for batch in corpus.batches():
        points = [engine.Point(each.id, {"text": each.text_vector or []}) for each in batch]
        shard.update(engine.UpdateOperation.upsert_points(points))
    return shard


def _asked(
    shard: engine.EdgeShard, questions: list[Question], params: engine.SearchParams
) -> tuple[float, list[set[str]]]:
    """The least CPU milliseconds for a question of some rounds, and the ten of each."""
    milliseconds = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        found = [
            shard.query(
                engine.QueryRequest(
                    limit=10, query=engine.Query.Nearest(each.text, "text"), params=params
                )
            )
            for each in questions
        ]
        milliseconds.append((time.process_time() - began) / len(questions) * 1e3)
    return min(milliseconds), [{str(hit.id) for hit in one} for one in found]


def _searched_bytes(folder: Path, *, is_int8: bool) -> int:
    """Of the files that a search walks: the engine keeps one for each part."""
    vectors = "quantized.data" if is_int8 else "matrix.dat"
    parts = [*folder.rglob(vectors), *folder.rglob("links*.bin")]
    return sum(each.stat().st_size for each in parts)
