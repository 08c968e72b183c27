"""A ledger or a store that was put back to another day adds up with the others again."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from indexer.assembling import checking_of
from shared.persistence.engine import open_database
from shared.search.query import Where
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.indexer.pipeline.indexing_stage import IndexingStage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_what_adds_up_is_left_as_it_is(stage: IndexingStage) -> None:
    await index_two_days(stage)
    report = await checking_of(stage.ground).check(stage.collection)
    assert (report.documents, report.lost, report.orphans) == (4, 0, 0)
    assert report.points == len(await stage.points())


async def test_a_store_of_yesterday_gets_what_it_lacks_and_nothing_is_embedded(
    stage: IndexingStage,
) -> None:
    await index_two_days(stage)
    await stage.indexed()
    where = Where(path=("changed.md", "new.md"))
    page = await stage.ground.vectors.scroll(stage.scope, where)
    await stage.ground.vectors.delete(stage.scope, page.ids, ver=1000)

    report = await checking_of(stage.ground).check(stage.collection)
    assert (report.lost, report.orphans) == (2, 0)
    await stage.index()
    assert await stage.indexed() == []
    await stage.adds_up()


async def test_a_ledger_of_yesterday_forgets_what_it_does_not_know(
    stage: IndexingStage, migrated_sqlite_url: str, tmp_path: Path
) -> None:
    ledger = Path(migrated_sqlite_url.partition("///")[2])
    await index_first_day(stage)
    await stage.ground.database.close()
    yesterday = shutil.copy(ledger, tmp_path / "yesterday.sqlite3")
    await index_second_day(stage)

    database = open_database(LedgerSettings(url=ServerUrl(f"sqlite+aiosqlite:///{yesterday}")))
    restored = stage.beside(database=database)
    report = await checking_of(restored.ground).check(stage.collection)
    # What changed or is gone, and what was only touched; what changed and what is new.
    assert (report.lost, report.orphans) == (3, 2)

    job = await restored.scan()
    await restored.until_indexed()
    assert (await restored.job(job)).removed == 1
    await restored.until_indexed()
    await restored.adds_up()
    documents = await restored.documents()
    passages = await restored.ground.vectors.read(restored.scope, [*await restored.points()])
    assert {each.ver <= documents[each.path].ver for each in passages.values()} == {True}
    await database.close()


async def index_two_days(stage: IndexingStage) -> None:
    await index_first_day(stage)
    await index_second_day(stage)


async def index_first_day(stage: IndexingStage) -> None:
    for name in ("same", "kept", "changed", "gone"):
        write(stage, f"{name}.md", f"The {name} one.\n")
    await stage.scan()
    await stage.until_indexed()


async def index_second_day(stage: IndexingStage) -> None:
    write(stage, "changed.md", "The changed one, as it is today.\n")
    write(stage, "new.md", "The new one.\n")
    (stage.folder / "gone.md").unlink()
    os.utime(stage.folder / "same.md", (5, 5))
    await stage.scan()
    await stage.until_indexed()
    await stage.machinery.retirement()


def write(stage: IndexingStage, path: str, text: str) -> None:
    stage.write(path, text)
    os.utime(stage.folder / path, (1, len(text)))
