"""A ledger and two stores on which indexers are killed, and all that is in them."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.documents.reading import Documents
from shared.index.generation_name import generation_name
from shared.index.jobs.index_jobs import IndexJobs
from shared.persistence.engine import Database, open_database
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.point import Scope
from shared.search.query import Query, TextVector, Where
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.crashes.stopping_indexer import (
    DONE,
    FIRST_MODEL,
    STOPPED,
    StopSettings,
)
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import MeilisearchStub, meilisearch_contract
from tests.servers.process import ChildProcess, without_secrets
from tests.servers.warm_python import CAN_FORK, WarmPython

PROGRAM: Final = "tests.integration.indexer.crashes.stopping_indexer"
LOADED: Final = (
    "indexer.assembling",
    "shared.search.embedded.embedded_store",
    "shared.search.keyword.meilisearch_store",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.integration.indexer.pipeline.indexing_stage",
)
TENANT: Final = "ten_1"
GENERATION: Final = generation_name(FIRST_MODEL, FIRST_MODEL)
LEASE_SECONDS: Final = 60.0


@dataclass
class Ruin:
    """A ledger, a shard and an index of words that indexers are killed on."""

    folder: Path
    source: Path
    store: EmbeddedStore
    """Whose owner serves the indexers, and outlives them."""
    keyword: MeilisearchStub | None
    keyword_url: str | None
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def ledger_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'ledger.sqlite3'}"

    async def offer(self) -> None:
        """A job for the source."""
        database = self.database()
        collection = await collection_of(database)
        jobs = IndexJobs(database, SystemClock())
        await jobs.create(TENANT, collection.id, f"folder:{self.source}")
        await database.close()

    async def index(
        self, stop_at: str | None = None, times: int = 1, model: str = FIRST_MODEL
    ) -> str:
        """An indexer in a process of its own, until it is done or is killed where it stops."""
        number = next(self.numbers)
        settings = StopSettings(
            ledger_url=self.ledger_url,
            index=str(self.folder / "index"),
            keyword_url=self.keyword_url,
            worker=f"worker-{number}",
            later_seconds=number * LEASE_SECONDS,
            model=model,
            stop_at=stop_at,
            times=times,
        )
        program = ChildProcess(
            [
                "tests.integration.indexer.crashes.stopping_indexer",
                msgspec.json.encode(settings).decode(),
            ],
            self.folder / f"{number}.log",
            warm=_warm(),
        )
        if not CAN_FORK:
            program = replace(program, command=[sys.executable, "-m", *program.command], warm=None)
        program.spawn()
        try:
            return await until_it_says(program, STOPPED, DONE)
        finally:
            program.kill()

    def database(self) -> Database:
        return open_database(LedgerSettings(url=ServerUrl(self.ledger_url)))

    async def content(self) -> dict[str, Any]:
        """All that the ledger and the stores have, but for times and attempts."""
        database = self.database()
        collection = await collection_of(database)
        documents = await Documents(database).list(TENANT, collection.id, limit=1000)
        await database.close()
        found = await passages(self.store)
        assert {*found} == await ids(self.store)
        return {
            "documents": {
                each.path: (each.state, each.ver, each.digest, each.passages, each.generation)
                for each in documents
            },
            "passages": found,
            "words": self.keyword.indexes[GENERATION].documents if self.keyword else {},
        }


@cache
def _warm() -> WarmPython:
    return WarmPython(LOADED, without_secrets())


@asynccontextmanager
async def open_ruin(folder: Path, template: Path, source: Path) -> AsyncIterator[Ruin]:
    folder.mkdir()
    shutil.copy(template, folder / "ledger.sqlite3")
    store = EmbeddedStore(folder / "index")
    await store.generations()
    try:
        stub = MeilisearchStub(meilisearch_contract())
    except pytest.skip.Exception:
        yield Ruin(folder, source, store, None, None)
    else:
        async with serving(stub) as url:
            yield Ruin(folder, source, store, stub, url)
    finally:
        await store.close()


async def until_it_says(program: ChildProcess, *words: str) -> str:
    async with asyncio.timeout(60):
        while True:
            ended = not program.is_running
            said = program.log.read_text() if program.log.exists() else ""
            for each in words:
                if each in said.splitlines():
                    return each
            assert not ended, said
            await asyncio.sleep(0.01)


async def collection_of(database: Database) -> Collection:
    return await CollectionCatalogue(database, SystemClock()).named(TENANT, "code")


async def passages(store: EmbeddedStore) -> dict[str, Any]:
    query = Query((TextVector([1.0] * 8, depth=1000),), None, Where(), limit=1000)
    answer = await store.query(Scope(GENERATION, TENANT), query)
    return {each.id: each.passage for each in (answer.apart[0] if answer.apart else answer.hits)}


async def ids(store: EmbeddedStore) -> set[str]:
    page = await store.scroll(Scope(GENERATION, TENANT), Where(), limit=1000)
    assert page.following is None
    return {*page.ids}
