"""An indexer that is killed between any two steps leaves exactly the index of one that is not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.persistence.engine import open_database
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.crashes.ruin import GENERATION, TENANT, Ruin, open_ruin
from tests.integration.indexer.crashes.stopping_indexer import DONE, STOPPED

FIRST: Final = (
    ("reader.before.read", 1),
    ("reader.after.read", 5),
    ("encoder.after.encode_many", 1),
    ("vectors.before.upsert", 1),
    ("vectors.after.upsert", 1),
    ("keyword.after.upsert", 1),
)
"""Places on the way of what is new, in their order."""
SECOND: Final = (
    ("reader.after.read", 1),
    ("vectors.before.label", 1),
    ("vectors.after.label", 1),
    ("vectors.after.change", 1),
    ("keyword.after.change", 1),
    ("vectors.before.delete", 1),
    ("vectors.after.delete", 1),
    ("keyword.after.delete", 1),
)
"""Places on the way of what is changed and of what is gone."""


async def test_killed_between_any_two_steps_the_index_is_that_of_an_undisturbed_run(
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
    async with (
        open_ruin(tmp_path / "killed", template, source) as killed,
        open_ruin(tmp_path / "whole", template, source) as whole,
    ):
        write_first(source)
        await gauntlet(killed, FIRST)
        await whole.offer()
        assert await whole.index() == DONE
        assert await killed.content() == await whole.content()

        write_second(source)
        await gauntlet(killed, SECOND)
        await whole.offer()
        assert await whole.index() == DONE
        assert await killed.content() == await whole.content()


async def gauntlet(ruin: Ruin, places: tuple[tuple[str, int], ...]) -> None:
    """An indexer after the other is killed at the next place; the last one finds nothing left."""
    await ruin.offer()
    assert await ruin.index("scan.wake") == STOPPED
    for place, times in places:
        if place.startswith("keyword") and ruin.keyword is None:
            continue
        assert await ruin.index(place, times) == STOPPED, place
    for _ in range(3):  # what was removed is forgotten a second after its chunks
        assert await ruin.index() == DONE


def write_first(source: Path) -> None:
    source.mkdir()
    for number in range(12):
        write(source, f"{number}.py", code(range(number, number + 3)))
    write(source, "notes.md", "# Notes\n\nOf the first day.\n")
    write(source, "broken.pdf", "%PDF-1.7 and no more")


def write_second(source: Path) -> None:
    """Some are moved within, some are renamed, some go, some are new, some are as they were."""
    for number in range(4):
        write(source, f"{number}.py", "import json\n\n\n" + code(range(number, number + 3)))
    (source / "4.py").rename(source / "renamed.py")
    for number in (5, 6):
        (source / f"{number}.py").unlink()
    write(source, "new.py", code(range(50, 53)))
    write(source, "notes.md", "# Notes\n\nOf the second day, and more of them.\n")


def write(source: Path, path: str, text: str) -> None:
    (source / path).write_text(text)
    os.utime(source / path, (1_000_000_000, 1_000_000_000 + len(text)))


def code(numbers: range) -> str:
    return "\n\n".join(
        f"def quack{each}():\n"
        + "".join(f"    value_{line} = {each} * {line} + {line}\n" for line in range(20))
        for each in numbers
    )
