"""What a newcomer reads: times alike, one of one, nothing that is not so, nothing too long."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from deploy.cli.__main__ import DONE, FAILED, run
from deploy.cli.check.installed import check_installed
from deploy.cli.output import counted
from deploy.cli.send.command import say_wait
from deploy.cli.send.delivery import summary
from deploy.cli.send.result import result_of
from deploy.embedded.files.folder import StackFolder
from shared.clock import SystemClock
from shared.messages.dead_letter import DeadReason
from shared.persistence.dead_letters import DeadLetterRepository
from shared.persistence.engine import open_database
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings

CAPTURE = pytest.CaptureFixture[str]
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@pytest.fixture
def ledger_with_a_letter(
    migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def add() -> None:
        database = open_database(LedgerSettings(url=ServerUrl(migrated_sqlite_url)))
        letters = DeadLetterRepository(database, SystemClock())
        await letters.add("dead_1", reason=DeadReason.MALFORMED, detail="It is no message.")
        await database.close()

    asyncio.run(add())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_sqlite_url)


@pytest.mark.usefixtures("ledger_with_a_letter")
def test_a_dead_letter_tells_its_time_as_all_commands_do(capsys: CAPTURE) -> None:
    assert run(["dead", "show", "dead_1"]) == DONE
    assert re.search(rf"^created_at +{MOMENT}$", capsys.readouterr().out, re.MULTILINE)


def test_what_is_installed_is_a_short_line_for_people_and_a_list_for_machines() -> None:
    short, listed = check_installed(list_all=False)[0], check_installed(list_all=True)[0]
    assert len(short.sentence) < 80
    assert "--json" in short.sentence
    assert "sqlalchemy" in listed.sentence.lower()


def test_nothing_is_said_to_start_where_a_stack_runs_already(
    capsys: CAPTURE, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_EMBEDDED__FOLDER", str(tmp_path))
    with StackFolder(tmp_path).claimed():
        assert run(["up"]) == FAILED
    said = capsys.readouterr()
    assert said.out == ""
    assert "runs in" in said.err


def test_a_wait_is_told_on_the_side(capsys: CAPTURE) -> None:
    say_wait("Too many requests.", 12.0)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Too many requests. Sending it again in 12 s.\n")


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 answers"), (1, "1 answer"), (2000, "2,000 answers")]
)
def test_one_is_not_many(count: int, words: str) -> None:
    assert counted(count, "answer") == words


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("completed", "failed"), "1 answered, 1 failed"),
        (("queued", "queued"), "2 accepted, 0 failed"),
        (("completed", "requires_action"), "2 accepted or answered, 0 failed"),
        (("failed",), "0 answered, 1 failed"),
    ],
)
def test_what_became_of_messages_is_said_as_it_was(states: tuple[str, ...], words: str) -> None:
    results = [result_of({"status": state}, line=1, seconds=1.0, waits=0) for state in states]
    assert words in summary(results, seconds=1.0)
