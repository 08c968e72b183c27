"""One question by three legs, its vectors given: ours through the owner of the folder, beside the
plain way on the same engine in the caller's own process."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.embedded.reaching import LOCK
from shared.search.generation import Generation
from shared.search.point import Scope
from shared.search.query import CodeVector, Dbsf, Query, TextVector, Words
from tests.benchmarks.ground.program import cpu_seconds
from tests.benchmarks.ground.stage import Stage
from tests.benchmarks.measurement import Better, Progress, Row
from tests.benchmarks.search.corpus import DIMENSIONS, TENANT, Corpus, Question, small_or_full
from tests.benchmarks.search.naive import NaiveIndex

QUESTIONS: Final = 200
READERS: Final = 4
ROUNDS: Final = 3
CPU_TARGET: Final = 0.2
"""Five times the questions a second and core."""
P95_MILLISECONDS: Final = 10.0
READERS_TIMES: Final = 4.5
_GENERATION: Final = Generation("hybrid", DIMENSIONS, DIMENSIONS)
_SCOPE: Final = Scope("hybrid", TENANT)


class Side:
    """What one side took and gave, round by round."""

    def __init__(self) -> None:
        self.build_cpu = 0.0
        self.cpu: list[float] = []
        """Milliseconds of all processes for one question, of each round."""
        self.milliseconds: list[float] = []
        self.gains: list[float] = []

    def percentile(self, number: int) -> float:
        return quantiles(self.milliseconds, n=100)[number - 1]


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """CPU, latency and quality of both, asked in turns; the graphs of both are built."""
    corpus = Corpus(small_or_full(10_000, 100_000))
    questions = corpus.questions(QUESTIONS)
    with TemporaryDirectory() as folder:
        say(f"{corpus.points:,} points the plain way")
        plain = _plain(Path(folder) / "plain", corpus)
        say(f"{corpus.points:,} points into the embedded engine")
        yield from asyncio.run(_measured(Path(folder) / "ours", corpus, questions, plain))


async def _measured(
    folder: Path, corpus: Corpus, questions: list[Question], plain: tuple[NaiveIndex, Side]
) -> list[Row]:
    index, theirs = plain
    ours, four, sparing = Side(), Side(), Side()
    store = EmbeddedStore(folder, deadline_seconds=120)
    await store.create(_GENERATION)
    owner = int((folder / LOCK).read_text())
    began = _family_seconds(owner) + time.process_time()
    for batch in corpus.batches():
        await store.upsert(_SCOPE, batch)
    await store.optimize(_GENERATION.name)
    ours.build_cpu = _family_seconds(owner) + time.process_time() - began
    await _ask(store, owner, questions, Side())  # pages of the new files are read
    _ask_plain(index.ask, questions, Side())
    for _ in range(ROUNDS):
        await _ask(store, owner, questions, ours)
        _ask_plain(index.ask, questions, theirs)
        _ask_plain(index.ask_sparingly, questions, sparing)
    await asyncio.gather(*(_ask(store, owner, questions, four) for _ in range(READERS)))
    resident = _resident_megabytes(owner)
    await store.close()
    index.close()
    on = f"{corpus.points:,} points"
    sparingly = "CPU a question, beside a plain way that reads the ten best afterwards"
    return [
        *_rows(on, ours, theirs, four),
        _row(sparingly, on, median(ours.cpu), median(sparing.cpu)),
        Row(what="memory of the owner, with mapped files", on=on, unit="MB", ours=resident),
    ]


def _rows(on: str, ours: Side, theirs: Side, four: Side) -> Iterator[Row]:
    cpu = median(ours.cpu)
    yield _row("CPU a question", on, cpu, median(theirs.cpu), target=CPU_TARGET)
    for number, limit in ((50, None), (95, P95_MILLISECONDS)):
        times = ours.percentile(number), theirs.percentile(number)
        yield _row(f"one reader, p{number}", on, *times, limit=limit)
    yield _row(f"{READERS} readers, p95", on, four.percentile(95), None, limit=READERS_TIMES * cpu)
    yield Row(
        what="hybrid of three legs, nDCG@10",
        on=on,
        unit="",
        ours=fmean(ours.gains),
        stock=fmean(theirs.gains),
        better=Better.HIGHER,
        target=1.0,
    )
    yield Row(
        what="index of both vectors and words, CPU to build",
        on=on,
        unit="s",
        ours=ours.build_cpu,
        stock=theirs.build_cpu,
    )


def _row(
    how: str,
    on: str,
    ours: float,
    plain: float | None,
    *,
    target: float | None = None,
    limit: float | None = None,
) -> Row:
    what = f"hybrid of three legs, {how}"
    return Row(what=what, on=on, unit="ms", ours=ours, stock=plain, target=target, limit=limit)


async def _ask(store: EmbeddedStore, owner: int, questions: list[Question], side: Side) -> None:
    before = cpu_seconds([owner]) + time.process_time()
    for each in questions:
        legs = (TextVector(each.text), CodeVector(each.code), Words(each.words))
        began = time.perf_counter()
        answer = await store.query(_SCOPE, Query(legs, Dbsf()))
        side.milliseconds.append((time.perf_counter() - began) * 1e3)
        side.gains.append(each.gain([hit.id for hit in answer.hits]))
    took = cpu_seconds([owner]) + time.process_time() - before
    side.cpu.append(took / len(questions) * 1e3)


def _ask_plain(ask: Callable[[Question], list[str]], questions: list[Question], side: Side) -> None:
    before = time.process_time()
    for each in questions:
        began = time.perf_counter()
        found = ask(each)
        side.milliseconds.append((time.perf_counter() - began) * 1e3)
        side.gains.append(each.gain(found))
    side.cpu.append((time.process_time() - before) / len(questions) * 1e3)


def _plain(folder: Path, corpus: Corpus) -> tuple[NaiveIndex, Side]:
    folder.mkdir()
    index, side = NaiveIndex(folder), Side()
    began = time.process_time()
    index.fill(corpus)
    side.build_cpu = time.process_time() - began
    return index, side


def _family_seconds(pid: int) -> float:
    """With its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _resident_megabytes(pid: int) -> float:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6
