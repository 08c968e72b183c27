"""What an owner does around a build, step by step: what waits, what gives up, what is left over."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from shared.search.embedded.building.copying import allocated, copy_folder
from shared.search.embedded.building.journal import Journal, calls_behind
from shared.search.embedded.calls import (
    CreateCall,
    DeleteCall,
    LabelCall,
    ListCall,
    NamesReply,
    UpsertCall,
    WriteCall,
)
from shared.search.embedded.engine_shard import EngineShard
from shared.search.embedded.open_generation import OpenGeneration, WaitsForCopy, is_worth_building
from shared.search.embedded.places import GenerationPlace, names_of
from shared.search.embedded.shards import Shards
from shared.search.generation import Generation
from shared.search.label import PassageLabel
from shared.search.point import Passage, Point, Scope
from shared.search.vector_store import StoreUnavailable

GENERATION = Generation("g", text_dimensions=4, code_dimensions=2)
SCOPE = Scope("g", "acme")
ID = "00000000-0000-4000-8000-000000000001"


@pytest.fixture
def place(folder: Path) -> GenerationPlace:
    made = GenerationPlace(folder, "g")
    EngineShard.create(GENERATION, made.begin(GENERATION))
    made.finish()
    return made


@pytest_asyncio.fixture
async def opened(place: GenerationPlace) -> AsyncIterator[OpenGeneration]:
    opened = OpenGeneration(place)
    yield opened
    await opened.stop_building()
    opened.close()


def write(ver: int = 1) -> WriteCall:
    passage = Passage("c", "d", "s", "p", "text", "prose", ver, "word")
    return UpsertCall(SCOPE, (Point(ID, passage, text_vector=[1, 0, 0, 0]),))


async def test_a_write_waits_for_the_copy_and_no_longer(opened: OpenGeneration) -> None:
    opened.write(write())
    opened.optimize(None)
    with pytest.raises(WaitsForCopy) as waits:
        opened.write(write(2))
    rebuild = waits.value.rebuild
    await rebuild.copied.wait()
    opened.write(write(2))
    await rebuild.ended()
    assert rebuild.failed is None
    assert opened.written == 1
    built = opened.optimize(None)
    assert built.is_running
    assert not opened.optimize(built.build).is_older
    assert opened.optimize(None).is_older


async def test_a_build_that_cannot_keep_what_is_written_gives_up_and_the_write_counts(
    opened: OpenGeneration, place: GenerationPlace
) -> None:
    opened.write(write())
    before = place.serving
    build = opened.optimize(None).build
    rebuild = opened.rebuild
    assert rebuild is not None
    await rebuild.copied.wait()
    journal = rebuild._journal
    assert journal is not None
    with Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), journal._file.fileno())
    opened.write(write(2))
    await rebuild.ended()
    told = opened.optimize(build)
    assert "cannot be kept" in (told.failed or "")
    assert place.serving == before
    place.sweep()
    assert [each.name for each in place.folder.glob("shard-*")] == [before.name]


def test_a_journal_is_read_as_far_as_it_is_whole(folder: Path) -> None:
    journal = Journal(folder / "journal")
    written = [write(), DeleteCall(SCOPE, (ID,), 3), write(4)]
    for each in written:
        journal.keep(each)
    read = list(calls_behind(journal.path, 0))
    assert [call for call, _ in read] == written
    assert read[-1][1] == journal.length
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-1])
    assert [call for call, _ in calls_behind(journal.path, read[0][1])] == [written[1]]
    journal.discard()
    assert not journal.path.exists()


def test_whatever_died_one_shard_serves_and_the_rest_is_swept(place: GenerationPlace) -> None:
    before = place.serving
    copied = place.another()
    copy_folder(before, copied)
    (place.folder / f"{copied.name}.journal").write_bytes(b"half")
    (place.folder / "serving.unfinished").write_text("shard-nowh")
    place.sweep()
    assert [each.name for each in place.folder.glob("shard-*")] == [before.name]
    copied = place.another()
    copy_folder(before, copied)
    place.serve(copied)  # and died before it took the old one away
    place.sweep()
    assert [each.name for each in place.folder.glob("shard-*")] == [copied.name]
    assert place.serving == copied
    EngineShard.open(GENERATION, copied).close()


def test_half_made_and_half_dropped_are_not_there(folder: Path, place: GenerationPlace) -> None:
    GenerationPlace(folder, "half").begin(GENERATION)
    assert names_of(folder) == ("g",)
    place.folder.rename(place.unfinished)
    assert names_of(folder) == ()
    EngineShard.create(GENERATION, place.begin(GENERATION))
    place.finish()
    assert names_of(folder) == ("g",)


def test_a_copy_has_the_holes_of_what_it_is_a_copy_of(folder: Path, place: GenerationPlace) -> None:
    size = sum(each.stat().st_size for each in place.serving.rglob("*"))
    copy_folder(place.serving, folder / "copy")
    assert allocated(folder / "copy") < size / 4
    for each in place.serving.rglob("*"):
        if each.is_file():
            copied = folder / "copy" / each.relative_to(place.serving)
            assert copied.read_bytes() == each.read_bytes()


@pytest.mark.parametrize(
    ("written", "points", "quiet_seconds", "worth"),
    [
        (9_999, 9_999, 60, False),
        (10_000, 10_000, 60, True),
        (10_000, 10_000, 1, False),
        (50_000, 50_000, 0, True),
        (50_000, 1_000_000, 60, False),
        (100_000, 1_000_000, 60, True),
        (100_000, 1_000_000, 0, False),
        (500_000, 1_000_000, 0, True),
    ],
)
def test_a_graph_is_built_where_that_is_worth_a_copy_of_all(
    written: int, points: int, quiet_seconds: float, *, worth: bool
) -> None:
    assert is_worth_building(written, points=points, quiet_seconds=quiet_seconds) is worth


@pytest.mark.usefixtures("place")
def test_a_full_disk_is_told_before_it_ends_the_engine(folder: Path) -> None:
    """How much is free the disk says; how much must be, the test."""
    full = Shards(folder, room_bytes=2**62)
    refused = (
        CreateCall(Generation("g-2", text_dimensions=4, code_dimensions=2)),
        LabelCall(SCOPE, (ID,), PassageLabel((), {}), 1),
    )
    for call in refused:
        with pytest.raises(StoreUnavailable, match=r"is full: [0-9]+ bytes are free"):
            full.answer(call)
    assert full.answer(ListCall()) == NamesReply(("g",))
    full.answer(DeleteCall(SCOPE, (ID,), 1))
