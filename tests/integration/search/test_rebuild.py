"""The graph is built beside what serves: nothing waits, nothing is lost, whatever is killed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
import qdrant_edge as engine

from shared.search.embedded.embedded_store import EmbeddedStore
from shared.search.embedded.places import GenerationPlace
from shared.search.generation import Generation
from shared.search.label import PassageLabel
from shared.search.point import Change, Passage, Point, Scope, point_id
from shared.search.query import Dbsf, Query, SearchAnswer, TextVector, Where, Words
from shared.search.vector_store import StoreUnavailable
from tests.integration.search.conftest import gone, owner_of

GENERATION = Generation("g", text_dimensions=8, code_dimensions=2)
SCOPE = Scope("g", "acme")
ANY = Where()
LEFT_SECONDS = 0.05
"""Between two rounds beside a build, for it gives way to all who want its core."""
HYBRID = Query((TextVector([1.0] * 8), Words("7 70 700")), Dbsf(), limit=20)


@pytest_asyncio.fixture
async def store(folder: Path) -> AsyncIterator[EmbeddedStore]:
    store = EmbeddedStore(folder)
    await store.create(GENERATION)
    await store.upsert(SCOPE, [point(number) for number in range(800)])
    yield store
    await store.close()


def point(number: int, *, ver: int = 1) -> Point:
    passage = Passage("c", "d", "s", "p", "text", "prose", ver, f"word {number}")
    vector = [random.Random(number * 8 + each).uniform(-1, 1) for each in range(8)]
    return Point(id_of(number), passage, text_vector=vector, code_vector=[1.0, number + 1.0])


def id_of(number: int) -> str:
    return point_id(tenant="acme", source="s", document="d", key=str(number), ordinal=0)


async def builder_of(owner: int) -> int:
    """The process that builds, as soon as there is one."""
    children = Path(f"/proc/{owner}/task/{owner}/children")
    while True:
        for child in children.read_text().split():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                if "embedded.building" in (Path("/proc") / child / "cmdline").read_text():
                    return int(child)
        await asyncio.sleep(0.002)  # the kernel tells nobody of another's child


async def stopped_builder(store: EmbeddedStore, folder: Path) -> tuple[int, asyncio.Task[None]]:
    """One that was stopped before it came far, and the call that waits for it."""
    optimizing = asyncio.create_task(store.optimize("g"))
    builder = await builder_of(owner_of(folder))
    os.kill(builder, signal.SIGSTOP)
    return builder, optimizing


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def counted_at_last(store: EmbeddedStore) -> int:
    """Also where its owner was killed a moment ago."""
    async with asyncio.timeout(60):
        while True:
            with suppress(StoreUnavailable):
                return await store.count(SCOPE, ANY)


def shards_of(folder: Path) -> list[str]:
    return sorted(each.name for each in (folder / "g").glob("shard-*"))


async def passages(store: EmbeddedStore) -> dict[str, Passage]:
    every = Query((TextVector([1.0] * 8, depth=1000),), None, limit=1000)
    hits = (await store.query(SCOPE, every)).apart[0]
    return {hit.id: hit.passage for hit in hits}


async def test_what_is_written_while_it_builds_is_in_the_new_graph(
    store: EmbeddedStore, folder: Path
) -> None:
    before = shards_of(folder)
    assert (await store.describe("g")).unbuilt == 800
    builder, optimizing = await stopped_builder(store, folder)
    await store.upsert(SCOPE, [point(number, ver=2) for number in range(790, 810)])
    await store.upsert(SCOPE, [point(5, ver=0)])
    await store.delete(SCOPE, [id_of(number) for number in range(3)], ver=1)
    await store.change(SCOPE, [Change(id_of(10), "moved.md", 3, 9)], ver=3)
    await store.label(SCOPE, [id_of(11)], PassageLabel(("ann",), {"n": 1}), ver=1)
    wanted = await passages(store)
    assert not optimizing.done()
    os.kill(builder, signal.SIGCONT)
    await optimizing
    assert shards_of(folder) != before
    assert len(shards_of(folder)) == 1
    assert await passages(store) == wanted
    assert len(wanted) == 807
    assert (await store.describe("g")).unbuilt == 26
    assert await store.count(SCOPE, Where(principals=())) == 806
    await store.close()
    assert await passages(store) == wanted
    await store.close()
    shard = engine.EdgeShard.load(str(GenerationPlace(folder, "g").serving))
    assert shard.info().indexed_vectors_count == 1600
    shard.close()


async def test_a_killed_builder_leaves_the_old_graph_and_the_next_one_builds(
    store: EmbeddedStore, folder: Path
) -> None:
    before = shards_of(folder)
    builder, optimizing = await stopped_builder(store, folder)
    await store.upsert(SCOPE, [point(900)])
    os.kill(builder, signal.SIGKILL)
    with pytest.raises(StoreUnavailable, match="builder ended with SIGKILL"):
        await optimizing
    assert shards_of(folder) == before
    assert await store.count(SCOPE, ANY) == 801
    await store.optimize("g")
    assert shards_of(folder) != before
    assert await store.count(SCOPE, ANY) == 801
    assert (await store.describe("g")).unbuilt == 0
    built = shards_of(folder)
    await store.optimize("g")
    assert shards_of(folder) == built


async def test_a_builder_ends_with_its_owner_and_what_it_left_is_taken_away(
    store: EmbeddedStore, folder: Path
) -> None:
    before = shards_of(folder)
    builder, optimizing = await stopped_builder(store, folder)
    await store.upsert(SCOPE, [point(900)])
    assert len(shards_of(folder)) == 3  # the old one, the copy, the journal
    os.kill(owner_of(folder), signal.SIGKILL)
    with pytest.raises(StoreUnavailable):
        await optimizing
    assert await counted_at_last(store) == 801
    assert shards_of(folder) == before
    with suppress(ProcessLookupError):
        os.kill(builder, signal.SIGCONT)  # it was stopped before it could bind itself to its owner
    await gone(builder)


async def test_a_dropped_generation_takes_its_builder_with_it(
    store: EmbeddedStore, folder: Path
) -> None:
    builder, optimizing = await stopped_builder(store, folder)
    await store.drop("g")
    optimizing.cancel()
    await gone(builder)
    assert not (folder / "g").exists()
    await store.create(GENERATION)
    await store.upsert(SCOPE, [point(1)])
    await store.optimize("g")
    assert await store.count(SCOPE, ANY) == 1


async def test_queries_find_the_same_before_in_and_behind_a_swap(
    store: EmbeddedStore, folder: Path
) -> None:
    wanted = await store.query(SCOPE, HYBRID)
    answers: list[SearchAnswer] = []
    others = Scope("g", "others")

    async def more() -> None:
        answers.extend([await store.query(SCOPE, HYBRID) for _ in range(20)])

    async def ask() -> None:
        while True:
            await more()
            await asyncio.sleep(LEFT_SECONDS)

    asking = asyncio.create_task(ask())
    for number in range(2):
        await store.upsert(others, [point(2000 + number)])
        await more()
        builder, optimizing = await stopped_builder(store, folder)
        await more()
        os.kill(builder, signal.SIGCONT)
        await optimizing
        await more()
    asking.cancel()
    for answer in answers:
        assert [hit.id for hit in answer.hits] == [hit.id for hit in wanted.hits]


async def test_whatever_is_killed_when_nothing_acknowledged_is_lost(
    store: EmbeddedStore, folder: Path
) -> None:
    chance = random.Random(5)
    kept = dict.fromkeys(range(60), (1, 1))  # the ver that was acknowledged, and the one sent

    async def write() -> None:
        while True:
            numbers = chance.sample(range(60), 8)
            ver = 1 + max(kept[number][1] for number in numbers)
            kept.update({number: (kept[number][0], ver) for number in numbers})
            try:
                await store.upsert(SCOPE, [point(number, ver=ver) for number in numbers])
            except StoreUnavailable:
                continue
            kept.update(dict.fromkeys(numbers, (ver, ver)))
            await asyncio.sleep(LEFT_SECONDS)

    async def kill(victim: int, *, after: float) -> None:
        await asyncio.sleep(after)
        if is_alive(victim):
            os.kill(victim, signal.SIGKILL)

    writing = asyncio.create_task(write())
    for each in range(4):
        optimizing = asyncio.create_task(store.optimize("g"))
        owner = owner_of(folder)
        builder = await builder_of(owner)
        moment = chance.uniform(0, 1.2)
        await kill(owner if each % 2 else builder, after=moment)
        (failed,) = await asyncio.gather(optimizing, return_exceptions=True)
        assert failed is None or isinstance(failed, StoreUnavailable)
        assert await counted_at_last(store) == 800
    writing.cancel()
    await asyncio.wait((writing,))
    found = await passages(store)
    for number, (acknowledged, sent) in kept.items():
        assert acknowledged <= found[id_of(number)].ver <= sent
    await store.optimize("g")
    assert len(shards_of(folder)) == 1
    assert await passages(store) == found
