"""What must not be found any more: a document that was deleted, the path that one had before.

Precision of absence: the share of questions that find nothing of the old, asked in the words of
the old document itself, which is where an index that forgets badly would still find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from indexer.evaluation.following import EvaluationProgress
from indexer.evaluation.measuring import SUBJECT
from indexer.evaluation.product_ground import ProductGround
from indexer.evaluation.sets.python_library import library_files
from indexer.evaluation.systems import DEFAULT
from shared.evaluation.run import EvaluationRun

DELETED: Final = "deleted"
RENAMED: Final = "renamed"
ABSENCE: Final = "absence"
PRESENCE: Final = "presence"
_MOST: Final = 40
"""Documents; each is asked for twice."""
_ASKED: Final = 400
"""Characters of a document that it is asked for by."""
_LARGEST: Final = 20_000


class ProbedDocument(msgspec.Struct, frozen=True):
    """A document, and the words of it that it is looked for by."""

    path: str
    text: str

    @property
    def question(self) -> str:
        """From its middle, where a file is least like its neighbours."""
        middle = len(self.text) // 2
        return " ".join(self.text[middle : middle + _ASKED].split())


class AbsenceProbes:
    """Half of some documents are deleted, the other half renamed; the index is told by a scan."""

    def __init__(self, ground: ProductGround, progress: EvaluationProgress) -> None:
        self._ground = ground
        self._progress = progress

    async def run(
        self, names: Sequence[str], limit: int, *, at: datetime, settings: dict[str, str]
    ) -> list[EvaluationRun]:
        """A run for each probe that is named. Presence is that of before: without it absence says
        nothing.
        """
        documents = _documents(limit)
        for each in documents:
            self._ground.write(each.path, each.text)
        self._progress.begin("probes: indexing", len(documents))
        await self._ground.index()
        self._progress.advance(len(documents))
        self._progress.begin("probes: asking", 2 * len(documents))
        there = [await self._finds(each, each.path) for each in documents]
        for number, each in enumerate(documents):
            (self._ground.folder / each.path).unlink()
            if number % 2:
                self._ground.write(_renamed(each.path), each.text)
        await self._ground.index()
        old = [await self._finds(each, each.path) for each in documents]
        probes = {DELETED: documents[::2], RENAMED: documents[1::2]}
        return [
            _run(probe, probes[probe], there[start::2], old[start::2], at=at, settings=settings)
            for start, probe in enumerate(probes)
            if probe in names and probes[probe]
        ]

    async def _finds(self, document: ProbedDocument, path: str) -> bool:
        """Whether anything under that path is among the hits."""
        result = await self._ground.search(document.question)
        self._progress.advance(1)
        return any(path in (hit.passage.path, hit.document.path) for hit in result.hits)


def _documents(limit: int) -> list[ProbedDocument]:
    most = min(limit, _MOST) if limit else _MOST
    found = [
        ProbedDocument(path, text)
        for path, text in library_files(4 * most)
        if 0 < len(text) <= _LARGEST
    ]
    return [each for each in found if each.question][: most - most % 2]


def _renamed(path: str) -> str:
    return str(Path("elsewhere") / path)


def _run(
    probe: str,
    documents: Sequence[ProbedDocument],
    there: Sequence[bool],
    old: Sequence[bool],
    *,
    at: datetime,
    settings: dict[str, str],
) -> EvaluationRun:
    return EvaluationRun(
        subject=SUBJECT,
        set_name=probe,
        settings=settings | {"documents": str(len(documents))},
        conditions={},
        at=at,
        cases=tuple(each.path for each in documents),
        systems={
            DEFAULT: {
                ABSENCE: tuple(float(not found) for found in old),
                PRESENCE: tuple(float(found) for found in there),
            }
        },
    )
