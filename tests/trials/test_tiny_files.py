"""Very many tiny files: `FILES=1000000 python -m pytest tests/trials/test_tiny_files.py`."""

from __future__ import annotations

import os
import resource
import time
from typing import Final

import pytest

from shared.index.collections.figures import CollectionFigures
from shared.index.states import JobState
from shared.search.query import Where
from tests.integration.indexer.pipeline.conftest import engine, reader, stage, store
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

__all__ = ["engine", "reader", "stage", "store"]
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(0)]
FILES: Final = int(os.environ.get("FILES", "5000"))
_MOST_GROWTH: Final = 500_000_000
"""Bytes; the rows of 500 files and the ids of those that are missing are all that is held."""


async def test_as_many_as_there_are_are_indexed_in_bounded_memory(stage: IndexingStage) -> None:
    for number in range(FILES):
        stage.write(f"{number % 1000}/{number}.md", f"Number {number}.\n")
    before, began = _peak(), _spent()
    job = await stage.scan()
    scanned = _spent()
    await stage.index()
    indexed = _spent()

    assert (await stage.job(job)).state is JobState.COMPLETED
    figures = CollectionFigures(stage.ground.database)
    [counts] = (await figures.counts(stage.tenant, [stage.collection.id])).values()
    assert (counts.completed, counts.passages) == (FILES, FILES)
    assert await stage.ground.vectors.count(stage.scope, Where()) == FILES
    assert _peak() - before < _MOST_GROWTH
    scan, index = (scanned - began) / FILES * 1e3, (indexed - scanned) / FILES * 1e3
    print(
        f"{FILES:,} files: {scan:.2f} ms of CPU each to scan and {index:.2f} to index in this "
        f"process, {(_peak() - before) / 1e6:.0f} MB more at the peak"
    )


def _spent() -> float:
    """Seconds of CPU of this process; readers and the owner of the engine have their own."""
    return time.process_time()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
