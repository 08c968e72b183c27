"""Ledger, shard and words put back from backups: of one day, or one of them of an older one."""

from __future__ import annotations

import random

import pytest

from shared.index.documents.changing import DocumentChanges
from shared.index.repairs import RepairOutcome
from tests.integration.indexer.backups.backed_up import BackedUp
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="module")
NOTHING = RepairOutcome()


async def test_what_is_put_back_together_adds_up_again(site: BackedUp) -> None:
    await first_day(site.stage)
    await site.back_up("day")
    before = await found(site.stage)
    await second_day(site.stage)
    assert await found(site.stage) != before

    await site.put_back_ledger("day")
    await site.put_back_store("day")
    site.put_back_words("day")

    assert await site.adds_up()
    assert await found(site.stage) == before
    assert await site.repair() == NOTHING


async def test_whichever_is_older_is_brought_to_what_the_ledger_says(
    site: BackedUp, older: str
) -> None:
    await first_day(site.stage)
    await site.back_up("day")
    await second_day(site.stage)
    await put_back(site, older, "day")
    assert not await site.adds_up()
    await site.stage.indexed()

    assert await site.repair() != NOTHING
    await site.stage.until_indexed()
    assert await site.adds_up()
    assert await site.repair() == NOTHING
    if older != "ledger":
        assert await site.stage.indexed() == [], "all vectors are in the ledger"


async def test_a_store_that_lost_everything_gets_it_again(site: BackedUp) -> None:
    await first_day(site.stage)
    await site.lose_stores()
    site.stage.machinery.generations._is_made_until = 0.0  # it looks again each half a minute

    assert (await site.repair()).documents == 3
    await site.stage.until_indexed()
    assert await site.adds_up()
    assert await site.stage.points()


async def test_a_repair_beside_indexing_takes_nothing_from_it(site: BackedUp) -> None:
    await first_day(site.stage)
    site.stage.write("new.md", "Teals.\n")
    await site.stage.offer("job_2")
    assert await site.repair() == NOTHING
    await site.stage.index()
    assert await site.adds_up()


async def test_any_days_of_each_add_up_after_a_repair(site: BackedUp) -> None:
    await days_by_chance(site, seed=7, days=2)


async def days_by_chance(site: BackedUp, seed: int, days: int) -> None:
    """After so many days each of the three is put back to any of them; tests/trials has more."""
    chance = random.Random(seed)
    for day in range(days):
        await some_day(site.stage, chance, day)
        await site.back_up(f"{day}")
    for part in ("ledger", "store", "words"):
        await put_back(site, part, str(chance.randrange(days)))

    await until_nothing_differs(site)
    await site.stage.offer("job_9")
    await site.stage.until_indexed()
    await until_nothing_differs(site)
    assert await site.adds_up()


async def first_day(stage: IndexingStage) -> None:
    stage.write("stays.md", "Swans.\n")
    stage.write("goes.md", "Geese.\n")
    stage.write("moves.md", "# One\n\nMallards.\n")
    await stage.offer("job_1")
    await stage.index()


async def second_day(stage: IndexingStage) -> None:
    """One document goes, one moves by a line and is labelled, one changes, one comes."""
    await remove(stage, "goes.md")
    (stage.folder / "goes.md").unlink()
    stage.write("moves.md", "\n# One\n\nMallards.\n")
    stage.write("comes.md", "Herons.\n")
    await stage.offer("job_2")
    moved = (await stage.documents())["moves.md"]
    changes = DocumentChanges(stage.ground.database, stage.ground.clock)
    await changes.label(stage.tenant, stage.collection.id, moved.id, principals=("user:a",))
    await stage.until_indexed()


async def some_day(stage: IndexingStage, chance: random.Random, day: int) -> None:
    for number in range(6):
        path = stage.folder / f"{number}.md"
        what = chance.choice(("write", "write", "move", "remove", "nothing"))
        if what == "write":
            stage.write(path.name, f"Number {number} of day {day} {chance.random()}.\n")
        elif what == "move" and path.exists():
            stage.write(path.name, "\n" + path.read_text())
        elif what == "remove" and path.exists():
            path.unlink()
            await remove(stage, path.name)
    await stage.offer(f"job_{day}")
    await stage.until_indexed()


async def put_back(site: BackedUp, part: str, day: str) -> None:
    if part == "ledger":
        await site.put_back_ledger(day)
    elif part == "store":
        await site.put_back_store(day)
    else:
        site.put_back_words(day)


async def until_nothing_differs(site: BackedUp) -> None:
    for _ in range(4):
        if await site.repair() == NOTHING:
            return
        await site.stage.until_indexed()
    pytest.fail("a repair finds something each time")


async def remove(stage: IndexingStage, path: str) -> None:
    if document := (await stage.documents()).get(path):
        changes = DocumentChanges(stage.ground.database, stage.ground.clock)
        await changes.remove(stage.tenant, stage.collection.id, [document.id])


async def found(stage: IndexingStage) -> list[object]:
    return [await stage.found(each) for each in ("swans", "geese", "mallards", "herons")]
