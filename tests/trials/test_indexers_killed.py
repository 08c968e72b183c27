"""Two indexers side by side, of which one or the other is killed at any time, over and over."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from random import Random
from typing import Final

from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.figures import CollectionFigures
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.states import JobState
from shared.persistence.engine import Database, open_database
from shared.search.opening import open_vector_store
from shared.search.point import Scope
from shared.search.query import Where
from tests.integration.indexer.process.indexer_process import IndexerGround, IndexerProcess

ROUNDS: Final = 12
FILES: Final = 40
TENANT: Final = "ten_1"


async def test_what_is_left_adds_up(
    redis_url: str, migrated_postgres_url: str, tmp_path: Path
) -> None:
    random = Random(7)
    ground = IndexerGround(redis_url, migrated_postgres_url, tmp_path, {
        # Every one of them is killed more often than a document may be the cause.
        "FOREBAY_INDEX__ATTEMPT_LIMIT": "1000",
        "FOREBAY_INDEX__LEASE_SECONDS": "3",
    })  # fmt: skip
    database = open_database(ground.settings.ledger)
    collection = await CollectionCatalogue(database, SystemClock()).create(
        TENANT, name="code", generation=""
    )
    indexers = [IndexerProcess(ground).start() for _ in range(2)]
    source = tmp_path / "source"
    source.mkdir()
    try:
        for number in range(ROUNDS):
            change(source, random, number)
            await job_of(database, collection, source)
            await asyncio.sleep(random.uniform(0.5, 4))
            victim = random.randrange(2)
            indexers[victim].process.kill()
            indexers[victim] = IndexerProcess(ground).start()
        await until_complete(database, collection, source)
        await adds_up(database, collection, ground, source)
    finally:
        for each in indexers:
            each.process.kill()
        await database.close()


def change(source: Path, random: Random, number: int) -> None:
    """Some files are new or other, some are gone; never half of them."""
    for each in random.sample(range(FILES), FILES // 4):
        parts = [f"# Part {part}\n\nAs of {number if part == 1 else 0}.\n" for part in range(3)]
        (source / f"{each}.md").write_text("\n".join(parts))
    for file in random.sample(sorted(source.iterdir()), 2):
        file.unlink()


async def job_of(database: Database, collection: Collection, source: Path) -> str:
    jobs = IndexJobs(database, SystemClock())
    name = f"folder:{source.resolve()}"
    return (await jobs.create(TENANT, collection.id, name, remove_anyway=True)).id


async def until_complete(database: Database, collection: Collection, source: Path) -> None:
    job_id = await job_of(database, collection, source)
    jobs = IndexJobs(database, SystemClock())
    async with asyncio.timeout(180):
        while (await jobs.find(TENANT, job_id)).state is not JobState.COMPLETED:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def adds_up(
    database: Database, collection: Collection, ground: IndexerGround, source: Path
) -> None:
    """Until what is retired is gone, ledger and store have the same number of passages."""
    found = await CollectionCatalogue(database, SystemClock()).find(TENANT, collection.id)
    store = open_vector_store(ground.settings.index)
    scope, where = Scope(found.generation, TENANT), Where(collection=(collection.id,))
    counts = (await CollectionFigures(database).counts(TENANT, [collection.id]))[collection.id]
    async with asyncio.timeout(60):
        while await store.count(scope, where) != counts.passages:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    await store.close()
    assert counts.total == len(os.listdir(source))
    assert counts.failed == 0
