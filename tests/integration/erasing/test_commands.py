"""`forebay erase`, `forebay tenants retention` and `forebay files`, as an operator types them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import FAILED, WRONGLY_USED, run
from shared.clock import ManualClock, SystemClock
from shared.files.database_content import DatabaseContent
from shared.files.drafts import ContentDrafts
from shared.files.stored_file import FileLabel, FilePurpose
from shared.messages.tenant import Tenant
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from shared.settings.files import FileSettings

from .conftest import Talks


@pytest.fixture
def clock() -> ManualClock:
    """Messages of an hour ago: the command has the time of day."""
    return ManualClock(datetime.now(UTC) - timedelta(hours=1))


@pytest.fixture(autouse=True)
def surroundings(
    migrated_ledger_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_ledger_url)
    monkeypatch.setenv("FOREBAY_REDIS__URL", redis_url)


@pytest.fixture
async def acme(database: Database) -> Tenant:
    return await TenantRepository(database, SystemClock()).create("acme")


class Typed:
    """What a command said."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def __call__(self, *words: str, code: int = 0) -> tuple[str, str]:
        assert await asyncio.to_thread(run, words) == code
        said = self._capsys.readouterr()
        return said.out, said.err

    async def json(self, *words: str) -> Any:
        return json.loads((await self(*words, "--json"))[0])


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed(capsys)


async def test_a_user_is_counted_and_then_erased_with_progress(
    talks: Talks, acme: Tenant, typed: Typed
) -> None:
    for _ in range(2):
        await talks.answered(tenant_id=acme.id, user_id="ann")
    words = ("erase", "--tenant", "acme", "--user", "ann")
    assert await typed.json(*words, "--dry-run") == {"messages": 2, "running": 0}
    assert "Nothing was changed" in (await typed(*words, "--dry-run"))[0]
    said, progress = await typed(*words)
    assert said == "Erased 2 messages and 0 stored answers of user 'ann' of tenant 'acme'.\n"
    assert progress.startswith("Erasing messages: 0 so far.\n")
    assert "Taking the name off what was spent.\n" in progress
    again = await typed.json(*words)
    assert (again["status"], again["messages"]) == ("completed", 0)
    assert "no message of user 'ann' of tenant 'acme'" in (await typed(*words))[0]


async def test_a_conversation_is_left_to_the_workers(
    talks: Talks, acme: Tenant, typed: Typed
) -> None:
    record = await talks.answered(tenant_id=acme.id, conversation_id="conv_1")
    words = ("erase", "--tenant", "acme", "--conversation", "conv_1")
    assert await typed.json(*words, "--dry-run") == {"messages": 1, "running": 0}
    begun = await typed.json(*words, "--leave-to-workers")
    assert begun["status"] == "in_progress"
    assert "the workers finish it" in (await typed(*words, "--leave-to-workers"))[0]
    assert await talks.ledger.find(record.id) is not None
    assert (await typed.json(*words))["id"] == begun["id"]
    assert await talks.ledger.find(record.id) is None


async def test_show_says_that_a_message_is_erased(talks: Talks, acme: Tenant, typed: Typed) -> None:
    record = await talks.answered(tenant_id=acme.id, user_id="ann")
    await typed("erase", "--tenant", "acme", "--user", "ann")
    said, _ = await typed("show", record.id)
    assert "erased" in said
    assert "secret" not in said


async def test_wrong_words_are_told_from_unknown_names(acme: Tenant, typed: Typed) -> None:
    for whose in ((), ("--user", "a", "--conversation", "c"), ("--user", "")):
        _, err = await typed("erase", "--tenant", "acme", *whose, code=WRONGLY_USED)
        assert err
    _, err = await typed("erase", "--tenant", "none", "--user", "a", code=FAILED)
    assert "no tenant named 'none'" in err


async def test_a_tenant_is_given_a_retention_and_gives_it_up(
    database: Database, acme: Tenant, typed: Typed
) -> None:
    tenants = TenantRepository(database, SystemClock())
    words = ("tenants", "retention", "acme")
    assert (await typed.json(*words))["retention_days"] == 30
    given = await typed.json(*words, "--days", "7")
    assert (given["retention_days"], given["from"]) == (7, "its own")
    owner = await tenants.named("acme")
    assert owner is not None
    assert owner.retention_days == 7
    assert (await typed.json(*words, "--from-settings"))["from"] == "settings"
    await typed(*words, "--days", "0", code=WRONGLY_USED)
    await typed(*words, "--days", "1", "--from-settings", code=WRONGLY_USED)


async def test_files_are_listed_shown_and_deleted(
    database: Database, acme: Tenant, typed: Typed
) -> None:
    assert "acme has no files" in (await typed("files", "list", "--tenant", "acme"))[0]
    drafts = ContentDrafts(database, FileSettings(), SystemClock())
    draft = await drafts.begin(acme.id)
    await DatabaseContent(database).write(draft.id, 0, b"x")
    label = FileLabel("plan.pdf", FilePurpose.USER_DATA)
    file = await drafts.finish(draft, label, digest="d", size=1)
    (row,) = await typed.json("files", "list", "--tenant", "acme")
    assert (row["id"], row["filename"], row["bytes"]) == (file.id, "plan.pdf", 1)
    assert "plan.pdf" in (await typed("files", "list", "--tenant", "acme"))[0]
    assert "plan.pdf" in (await typed("files", "show", file.id, "--tenant", "acme"))[0]
    await TenantRepository(database, SystemClock()).create("other")
    _, err = await typed("files", "delete", file.id, "--tenant", "other", code=FAILED)
    assert "other has no file" in err
    deleted = await typed.json("files", "delete", file.id, "--tenant", "acme")
    assert deleted == {"id": file.id, "deleted": True}
    await typed("files", "show", file.id, "--tenant", "acme", code=FAILED)
