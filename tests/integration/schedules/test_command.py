"""`forebay schedule`, as an operator types it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import FAILED, WRONGLY_USED, run
from shared.clock import SystemClock
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings


class TypedSchedules:
    """What `forebay schedule … --tenant acme` said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def __call__(self, *words: str, code: int = 0) -> tuple[str, str]:
        typed = ("schedule", *words, "--tenant", "acme")
        assert await asyncio.to_thread(run, typed) == code
        said = self._capsys.readouterr()
        return said.out, said.err

    async def json(self, *words: str) -> Any:
        return json.loads((await self(*words, "--json"))[0])


@pytest.fixture
async def typed(
    migrated_sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> TypedSchedules:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_sqlite_url)
    database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
    await TenantRepository(database, SystemClock()).create("acme")
    await database.close()
    return TypedSchedules(capsys)


async def test_a_schedule_is_added_listed_run_and_removed(
    typed: TypedSchedules, tmp_path: Path
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    assert (await typed("list"))[0] == "acme has no schedules.\n"
    words = ("--cron", "30 2 * * *", "--zone", "Europe/Zurich", "--folder", "docs", "--into", "d")
    added = await typed.json("add", "nightly", *words)
    assert (added["name"], added["kind"], added["zone"]) == ("nightly", "index", "Europe/Zurich")
    assert added["job"]["source"] == f"folder:{docs.resolve()}"
    assert "already" in (await typed("add", "nightly", *words, code=FAILED))[1]
    await typed("run", "nightly")
    (listed,) = await typed.json("list")
    assert listed["last_run"]["result_id"] is None
    assert "not begun yet" in (await typed("list"))[0]
    assert (await typed("remove", "nightly"))[0] == "Removed: nightly.\n"
    assert await typed.json("list") == []


async def test_what_cannot_be_scheduled_is_refused_with_the_fix(typed: TypedSchedules) -> None:
    await asyncio.to_thread(Path("docs").mkdir)
    cron, index = ("--cron", "0 * * * *"), ("--folder", "docs", "--into", "d")
    batch = ("--kind", "batch", "--file", "file-1")
    for words, fix in (
        ((*cron, "--kind", "evaluation"), "Let that machine's own cron type it"),
        ((*cron, "--kind", "backup"), "write index or batch"),
        ((*cron, "--kind", "batch"), "--file"),
        ((*cron, "--kind", "batch", "--file", "file-1", "--endpoint", "/v1/x"), "'/v1/x'"),
        ((*cron, *batch, "--endpoint", "/v1/moderations"), "No batch is run against"),
        ((*cron, *batch, "--into", "d"), "Leave --into out"),
        ((*cron, *index, "--file", "file-1"), "Leave --file out"),
        (cron, "--folder and --into"),
        ((*cron, "--folder", "nowhere", "--into", "d"), "nowhere"),
        (("--cron", "hourly", *index), "Write minute, hour"),
        ((*cron, *index, "--zone", "Zurich"), "Europe/Zurich"),
    ):
        assert fix in (await typed("add", "a", *words, code=WRONGLY_USED))[1]
    missing = (*cron, "--kind", "batch", "--file", "file-1")
    assert "no file 'file-1'" in (await typed("add", "a", *missing, code=FAILED))[1]
    for verb in ("run", "remove"):
        assert "no schedule 'a'" in (await typed(verb, "a", code=FAILED))[1]
