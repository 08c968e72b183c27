"""Another model, or another way of splitting: a generation is built beside the old one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import SystemClock
from shared.embeddings.encoder import DualEncoders
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.collections.generations import SEARCHED_STILL
from shared.search.point import Scope
from shared.search.query import Where
from tests.integration.indexer.pipeline.indexing_stage import CountingEncoder, IndexingStage
from tests.integration.indexer.pipeline.pausing_store import PausingStore

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_collection_that_was_made_without_one_takes_that_of_its_first_indexer(
    stage: IndexingStage,
) -> None:
    made = await catalogue_of(stage).create(stage.tenant, name="new", generation="")
    unsettled = stage.of(made)
    unsettled.write("a.md", "First.\n")
    await unsettled.offer()
    await unsettled.index()

    settled = await catalogue_of(stage).find(stage.tenant, made.id)
    assert settled.generation == stage.collection.generation
    assert (await unsettled.documents())["a.md"].state.value == "completed"


async def test_a_new_model_is_built_beside_the_old_and_takes_its_place(
    stage: IndexingStage,
) -> None:
    for number in range(5):
        stage.write(f"{number}.md", f"Number{number}.\n")
    await stage.offer()
    await stage.index()
    newer = with_other_model(stage)

    await newer.machinery.generations()
    begun = await collection_of(stage)
    assert begun.generation == stage.collection.generation, "it is searched as before"
    assert begun.next_generation == newer.machinery.generations.name
    assert len(await stage.points()) == 5

    await newer.until_indexed()
    newer.machinery.generations._swap_at.clear()
    await newer.machinery.generations()
    swapped = await collection_of(stage)
    assert (swapped.generation, swapped.next_generation) == (begun.next_generation, None)
    assert len(await points_in(stage, swapped.generation)) == 5


async def test_the_old_generation_goes_when_nobody_searches_it_any_more(
    stage: IndexingStage, store: PausingStore
) -> None:
    stage.write("a.md", "Once.\n")
    await stage.offer()
    await stage.index()
    newer = with_other_model(stage, name=f"model/{stage.tenant}")
    await newer.machinery.generations()
    await newer.until_indexed()
    newer.machinery.generations._swap_at.clear()
    await newer.machinery.generations()

    later = newer.beside(clock=LaterClock(SEARCHED_STILL * 2))
    await later.machinery.retirement.sweep()
    await later.machinery.retirement()
    assert await stage.points() == set()
    assert (await collection_of(stage)).leaving_generation is None


async def test_an_unread_generation_is_dropped_where_it_is_empty(
    stage: IndexingStage, store: PausingStore
) -> None:
    unread = with_other_model(stage, name=f"unread/{stage.tenant}").machinery.generations
    await store.create(unread._own)
    assert unread.name in await store.generations()
    await stage.machinery.generations()
    assert unread.name not in await store.generations()


async def test_an_indexer_of_other_models_leaves_documents_to_those_who_have_them(
    stage: IndexingStage,
) -> None:
    stage.write("a.md", "Not for everybody.\n")
    await stage.offer()
    await with_other_model(stage).machinery.pipeline.slice()
    document = (await stage.documents())["a.md"]
    assert document.state.value == "pending"
    assert "other models" in (document.reason or "")


class LaterClock(SystemClock):
    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> Any:
        return super().now() + self._ahead


def with_other_model(stage: IndexingStage, name: str = "counting/2") -> IndexingStage:
    encoder = CountingEncoder(name=name)
    return stage.beside(encoders=DualEncoders(encoder, encoder))


def catalogue_of(stage: IndexingStage) -> CollectionCatalogue:
    return CollectionCatalogue(stage.ground.database, stage.ground.clock)


async def collection_of(stage: IndexingStage) -> Collection:
    return await catalogue_of(stage).find(stage.tenant, stage.collection.id)


async def points_in(stage: IndexingStage, generation: str) -> tuple[str, ...]:
    page = await stage.ground.vectors.scroll(Scope(generation, stage.tenant), Where())
    return page.ids
