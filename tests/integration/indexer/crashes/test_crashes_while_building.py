"""Indexers that are killed while another generation is built leave both as undisturbed ones do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.generation_name import generation_name
from shared.index.tables import chunk
from shared.persistence.engine import open_database
from shared.persistence.statements import reading
from shared.search.point import Scope
from shared.search.query import Where
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.crashes.ruin import (
    GENERATION,
    TENANT,
    Ruin,
    collection_of,
    open_ruin,
)
from tests.integration.indexer.crashes.stopping_indexer import DONE, STOPPED

NEWER: Final = "counting/2"
NEXT: Final = generation_name(NEWER, NEWER)
PLACES: Final = (
    ("vectors.after.upsert", 1),
    ("keyword.after.upsert", 1),
    ("encoder.after.encode_many", 1),
    ("vectors.after.upsert", 2),
)
"""The words in the one that is searched, then vectors and words in the one that is built."""


async def test_killed_while_it_writes_two_generations_both_are_those_of_an_undisturbed_run(
    migrated_file: Path, tmp_path: Path
) -> None:
    template = tmp_path / "template.sqlite3"
    shutil.copy(migrated_file, template)
    database = open_database(LedgerSettings(url=ServerUrl(f"sqlite+aiosqlite:///{template}")))
    await CollectionCatalogue(database, SystemClock()).create(
        TENANT, name="code", generation=GENERATION
    )
    await database.close()
    source = tmp_path / "source"
    source.mkdir()
    for number in range(6):
        write(source, f"{number}.md", f"Number{number}.\n\n# Below\n\nNumber{number} below.\n")
    async with (
        open_ruin(tmp_path / "killed", template, source) as killed,
        open_ruin(tmp_path / "whole", template, source) as whole,
    ):
        for ruin in (killed, whole):
            await ruin.offer()
            assert await ruin.index() == DONE
        write(source, "0.md", "Number0 was edited.\n\n# Below\n\nNumber0 below.\n")
        write(source, "new.md", "One more.\n")
        for ruin in (killed, whole):
            await ruin.offer()
        for place, times in PLACES:
            if killed.keyword is not None or not place.startswith("keyword"):
                assert await killed.index(place, times, model=NEWER) == STOPPED, place
        for ruin in (killed, whole):
            assert await ruin.index(model=NEWER) == DONE
            assert await bodies(ruin, GENERATION) == await bodies(ruin, NEXT)
        assert await everything(killed) == await everything(whole)

        for ruin in (killed, whole):
            assert await ruin.index(model=NEWER) == DONE
            assert await generation(ruin) == NEXT, "they were swapped"
        assert await everything(killed) == await everything(whole)


async def everything(ruin: Ruin) -> dict[str, Any]:
    """Documents, chunks and what the stores have, in both generations. A chunk that was doubted
    and written again has a higher `ver`."""
    database = ruin.database()
    async with reading(database.relaxed) as connection:
        rows = (await connection.execute(select(chunk))).all()
    await database.close()
    words = ruin.keyword.indexes if ruin.keyword else {}
    return {
        "chunks": {(row.generation, row.point_id): (row.state, row.ordinal) for row in rows},
        "bodies": {each: await bodies(ruin, each) for each in (GENERATION, NEXT)},
        "words": {name: {*index.documents} for name, index in words.items()},
    }


async def bodies(ruin: Ruin, generation: str) -> dict[str, tuple[str, str]]:
    """By the ids of points."""
    scope = Scope(generation, TENANT)
    page = await ruin.store.scroll(scope, Where(), limit=1000)
    read = await ruin.store.read(scope, page.ids)
    return {id_: (each.path, each.body) for id_, each in read.items()}


async def generation(ruin: Ruin) -> str:
    """That is searched."""
    database = ruin.database()
    collection = await collection_of(database)
    await database.close()
    return collection.generation


def write(source: Path, path: str, text: str) -> None:
    (source / path).write_text(text)
    os.utime(source / path, (1_000_000_000, 1_000_000_000 + len(text)))
