"""Docs and code into a collection, and the indexer killed in the middle of it."""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.index.library import Library, open_library
from deploy.cli.demo.stage import Stage
from shared.search.opening import open_vector_store
from shared.search.point import Scope
from shared.search.query import Where
from shared.settings import load_settings

_KILLED_AFTER: Final = 0.4


async def indexed(stage: Stage) -> Told:
    async with open_library(stage) as library:
        began = time.monotonic()
        job, before = await library.until(await library.begin(), share=_KILLED_AFTER)
        pid = stage.stack.pid("indexer")
        expect(pid and before.waiting, f"Nothing was left to kill it in: {before}.")
        os.kill(pid or 0, signal.SIGKILL)
        job, done = await library.until(job)
        seconds = time.monotonic() - began
        shelves = " and ".join(f"{each}/" for each in stage.shelves)
        counts = await library.counts()
        there = await _points(stage, library)
    expect(done.completed == job.changed - done.skipped, f"Documents ended as {done}.")
    expect(there == counts.passages, f"{there} points for {counts.passages} passages.")
    return Told(
        f"{job.found} files of {shelves} became {counts.passages:,} passages in "
        f"{seconds:.0f} s. Its indexer (process {pid}) was killed with SIGKILL after "
        f"{before.completed} of them, and the next one went on: the store has what the ledger "
        "says, not one passage more.",
        {
            "files": job.found,
            "passages": counts.passages,
            "points": there,
            "killed_after": before.completed,
            "embedded": job.embedded,
            "index_seconds": round(seconds, 2),
        },
    )


async def _points(stage: Stage, library: Library) -> int:
    collection = library.collection
    owner, where = collection.tenant_id, Where(collection=(collection.id,))
    store = open_vector_store(load_settings(stage.environment).index)
    try:
        (generation,) = await store.generations()
        return await store.count(Scope(generation, owner), where)
    finally:
        await store.close()
