"""An indexer that works until nothing waits, or stops for ever at a named place to be killed there.

    python -m tests.integration.indexer.crashes.stopping_indexer SETTINGS

reads its settings (JSON), scans for all jobs, indexes all that waits and takes out what is
retired. At the place that it is to stop at it prints `stopped` and does nothing more; where it
never comes there it prints `done`, as at the end.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from indexer.assembling import IndexGround, IndexMachinery, assemble
from indexer.reading.work import DocumentReading, DocumentToRead, read_document
from shared.clock import SystemClock
from shared.embeddings.encoder import DualEncoders
from shared.persistence.engine import open_database
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.settings.indexing.index import IndexSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.pipeline.indexing_stage import CountingEncoder

STOPPED: Final = "stopped"
DONE: Final = "done"
FIRST_MODEL: Final = "counting/1"


class StopSettings(msgspec.Struct, frozen=True):
    """Where it works, and where it stops: `vectors.after.upsert` is behind that call of that
    store, the second time with `times=2`."""

    ledger_url: str
    index: str
    keyword_url: str | None
    worker: str
    later_seconds: float
    """Its clock is ahead by so much: the leases of those that died before are over."""
    model: str = FIRST_MODEL
    """What its encoder is called; with another than the first it builds another generation."""
    stop_at: str | None = None
    times: int = 1


class LaterClock(SystemClock):
    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead


class OwnReader:
    """Reads in this process: it is killed as a whole, and starting another takes long."""

    async def read(self, wanted: DocumentToRead) -> DocumentReading:
        return read_document(wanted)

    async def close(self) -> None:
        """Nothing to end."""


class Stop:
    """Prints and waits for its end when it is passed at the place, the so-manieth time."""

    def __init__(self, place: str | None, times: int) -> None:
        self._place = place
        self._left = times

    async def passed(self, place: str) -> None:
        if place == self._place:
            self._left -= 1
            if self._left == 0:
                print(STOPPED, flush=True)
                await asyncio.Event().wait()


class Stopping:
    """Hands every call on, and passes a place before and behind it."""

    def __init__(self, behind: Any, name: str, stop: Stop) -> None:
        self._behind = behind
        self._name = name
        self._stop = stop

    def __getattr__(self, call: str) -> Any:
        there = getattr(self._behind, call)
        if not asyncio.iscoroutinefunction(there):
            return there

        async def asked(*arguments: Any, **options: Any) -> Any:
            await self._stop.passed(f"{self._name}.before.{call}")
            answer = await there(*arguments, **options)
            await self._stop.passed(f"{self._name}.after.{call}")
            return answer

        return asked


async def work(settings: StopSettings) -> None:
    stop = Stop(settings.stop_at, settings.times)
    database = open_database(LedgerSettings(url=ServerUrl(settings.ledger_url)))
    encoder: Any = Stopping(CountingEncoder(name=settings.model), "encoder", stop)
    keyword: Any = None
    if settings.keyword_url is not None:
        keyword = Stopping(MeilisearchStore(settings.keyword_url), "keyword", stop)
    vectors: Any = Stopping(EmbeddedStore(Path(settings.index)), "vectors", stop)
    reader: Any = Stopping(OwnReader(), "reader", stop)
    ground = IndexGround(
        settings=IndexSettings(attempt_limit=100),
        database=database,
        clock=LaterClock(settings.later_seconds),
        worker=settings.worker,
        vectors=vectors,
        keyword=keyword,
        encoders=DualEncoders(encoder, encoder),
        reader=reader,
    )
    machinery = assemble(ground)
    if settings.model != FIRST_MODEL:
        await machinery.generations()
    await until_done(machinery, stop)
    for each in (reader, vectors, *([keyword] if keyword else ())):
        await each.close()
    await database.close()


async def until_done(machinery: IndexMachinery, stop: Stop) -> None:
    waking: list[Awaitable[None]] = []
    wake: Callable[[str], object] = lambda _: waking.append(stop.passed("scan.wake"))  # noqa: E731
    while await machinery.scanning.work(wake):
        for each in waking:
            await each
        waking.clear()
    while await machinery.pipeline.slice():
        pass
    await machinery.retirement()
    await machinery.jobs.settle()


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(sys.argv[1], type=StopSettings)))
    print(DONE, flush=True)
