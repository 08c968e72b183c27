"""What is removed while it is indexed leaves nothing behind."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.errors import NotFound
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.documents.changing import DocumentChanges
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage
from tests.integration.indexer.pipeline.pausing_store import PausingStore
from tests.integration.indexer.pipeline.test_generations import LaterClock

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_document_that_is_removed_while_it_is_written_leaves_nothing(
    stage: IndexingStage, store: PausingStore, when: str
) -> None:
    stage.write("a.md", "Mallards.\n")
    await stage.offer()

    async def remove() -> None:
        document = (await stage.documents())["a.md"]
        changes = DocumentChanges(stage.ground.database, stage.ground.clock)
        assert await changes.remove(stage.tenant, stage.collection.id, [document.id]) == 1

    (store.before if when == "before" else store.after)["upsert"] = remove
    await stage.index()
    assert await stage.documents() == {}
    await until_nothing_is_left(stage)


async def test_a_collection_that_is_deleted_while_it_is_indexed_leaves_nothing(
    stage: IndexingStage, store: PausingStore
) -> None:
    for number in range(40):
        stage.write(f"{number}.md", f"Number{number}.\n")
    await stage.offer()
    catalogue = CollectionCatalogue(stage.ground.database, stage.ground.clock)

    async def delete() -> None:
        assert await catalogue.delete(stage.tenant, stage.collection.id)

    store.after["upsert"] = delete
    await stage.machinery.pipeline.slice()
    await until_nothing_is_left(stage)


async def test_a_collection_whose_time_is_over_leaves_nothing_a_week_later(
    stage: IndexingStage,
) -> None:
    stage.write("a.md", "Mallards.\n")
    await stage.offer()
    await stage.index()
    catalogue = CollectionCatalogue(stage.ground.database, stage.ground.clock)
    await catalogue.change(stage.tenant, stage.collection.id, life_days=2)

    later = stage.beside(clock=LaterClock(timedelta(days=8)))
    await later.machinery.retirement.sweep()
    await later.machinery.retirement()
    assert await stage.found("Mallards") != [], "it can be seen to have expired"
    later = stage.beside(clock=LaterClock(timedelta(days=10)))
    await later.machinery.retirement.sweep()
    await until_nothing_is_left(later)
    with pytest.raises(NotFound):
        await catalogue.find(stage.tenant, stage.collection.id)


async def until_nothing_is_left(stage: IndexingStage) -> None:
    """A row goes a second after the last of its chunks."""
    async with asyncio.timeout(60):
        while await stage.chunk_rows() or await stage.documents():
            await stage.machinery.retirement.sweep()
            await stage.machinery.retirement()
            await asyncio.sleep(0.01)
    assert await stage.points() == set()
