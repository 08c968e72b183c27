"""A ledger, a shard and an index of words, each of which can be put back to an older day."""

from __future__ import annotations

import copy
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from indexer.assembling import assemble
from indexer.reading.document_reader import DocumentReader
from indexer.stores.repair import store_repair
from shared.index.repairs import RepairOutcome
from shared.persistence.engine import open_database
from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.keyword.meilisearch_store import MeilisearchStore
from shared.search.query import Where
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage, open_stage
from tests.integration.search.described_server import serving
from tests.integration.search.meilisearch_stub import MeilisearchStub, meilisearch_contract


@dataclass
class BackedUp:
    """An indexer on SQLite, the embedded engine and a stub of Meilisearch."""

    stage: IndexingStage
    folder: Path
    engine: EmbeddedStore
    words: MeilisearchStub

    async def back_up(self, name: str) -> None:
        """All three as they are now, under that name."""
        kept = self.folder / name
        kept.mkdir()
        with (
            closing(sqlite3.connect(self._ledger)) as now,
            closing(sqlite3.connect(kept / "l")) as to,
        ):
            now.backup(to)
        await self.engine.close()  # flushed; the next call opens it again
        _copy_with_holes(self._shard, kept / "index")
        self._words_of[name] = copy.deepcopy(self.words.indexes)

    async def put_back_ledger(self, name: str) -> None:
        await self.stage.ground.database.close()
        for each in self.folder.glob("ledger.sqlite3*"):
            each.unlink()
        shutil.copy(self.folder / name / "l", self._ledger)

    async def put_back_store(self, name: str) -> None:
        await self.engine.close()
        shutil.rmtree(self._shard)
        _copy_with_holes(self.folder / name / "index", self._shard)

    def put_back_words(self, name: str) -> None:
        self.words.indexes = copy.deepcopy(self._words_of[name])

    async def lose_stores(self) -> None:
        await self.engine.close()
        shutil.rmtree(self._shard)
        self.words.indexes.clear()

    async def repair(self) -> RepairOutcome:
        """What `forebay collections repair` does."""
        ground = self.stage.ground
        repair = store_repair(ground.database, ground.clock, ground.vectors, ground.keyword)
        return await repair.repair(self.stage.collection)

    async def adds_up(self) -> bool:
        """Whether ledger and stores have the same passages, of the same delivery and place."""
        assert self.stage.ground.keyword is not None
        rows = await self.stage.chunk_rows()
        points = await self.engine.read(self.stage.scope, sorted(await self.stage.points()))
        words = await self.stage.ground.keyword.ids(self.stage.scope, Where())
        documents = {each.id: each for each in (await self.stage.documents()).values()}
        return (
            {row.state.value for row in rows.values()} <= {"current"}
            and {*points} == {*rows} == {*words}
            and all(
                (each.path, each.first_line, each.last_line)
                == (rows[id_].path, rows[id_].first_line, rows[id_].last_line)
                and rows[id_].ver <= each.ver <= documents[each.document].ver
                for id_, each in points.items()
            )
        )

    @property
    def _ledger(self) -> Path:
        return self.folder / "ledger.sqlite3"

    @property
    def _shard(self) -> Path:
        return self.folder / "index"

    def __post_init__(self) -> None:
        self._words_of: dict[str, dict[str, Any]] = {}


@asynccontextmanager
async def open_backed_up(
    folder: Path, template: Path, reader: DocumentReader
) -> AsyncIterator[BackedUp]:
    """With an empty source."""
    ledger = folder / "ledger.sqlite3"
    shutil.copy(template, ledger)
    database = open_database(LedgerSettings(url=ServerUrl(f"sqlite+aiosqlite:///{ledger}")))
    stub = MeilisearchStub(meilisearch_contract())
    engine = EmbeddedStore(folder / "index")
    async with serving(stub) as url:
        keyword = MeilisearchStore(url, deadline_seconds=60, task_seconds=60)
        stage = await open_stage(database, folder / "source", engine, reader)
        ground = replace(stage.ground, keyword=keyword)
        stage = replace(stage, ground=ground, machinery=assemble(ground))
        yield BackedUp(stage, folder, engine, stub)
        await keyword.close()
        await engine.close()
        await database.close()


def _copy_with_holes(what: Path, to: Path) -> None:
    subprocess.run(["cp", "-a", "--sparse=always", what, to], check=True)
