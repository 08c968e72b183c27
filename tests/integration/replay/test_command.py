"""`forebay replay` as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.cli.__main__ import FAILED, WRONGLY_USED, run

DOOR = ("--against", "http://127.0.0.1:9", "--key", "fb_none")
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    migrated_sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typed:
    """Runs the command beside an empty ledger; its code, and what it says on both streams."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_sqlite_url)

    def type_in(*words: str) -> tuple[int, str, str]:
        code = run(["replay", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return type_in


def test_a_day_without_messages_says_so_and_what_to_do(typed: Typed) -> None:
    code, _, complaint = typed("--since", "2026-01-01", "--until", "2026-01-02")

    assert code == WRONGLY_USED
    assert "no message that came between 2026-01-01 00:00 and 2026-01-02 00:00 UTC" in complaint
    assert "--generate" in complaint


def test_a_settings_file_with_a_key_that_is_none_is_refused_by_its_name(
    typed: Typed, tmp_path: Path
) -> None:
    (tmp_path / "other.toml").write_text("[limits]\nrequests_per_minit = 3\n")

    code, _, complaint = typed("--generate", "10", "--settings", "other.toml")

    assert code == FAILED
    assert "limits.requests_per_minit" in complaint


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--settings", "missing.toml"), "--settings: there is no file 'missing.toml'"),
        (("--since", "2026-01-02", "--until", "2026-01-01"), "is not before --until"),
        (("--until", "0001-01-01"), "--until 0001-01-01 00:00:00 is no time of 2000 to 2999"),
        (("--since", "9999-12-31"), "--since 9999-12-31 00:00:00 is no time of 2000 to 2999"),
        (("--since", "2026-01-01", "--until", "2026-03-01"), "more than 31 days apart"),
        (("--times", "0"), "times"),
        (("--virtual", "--live", "5%"), "give one of both"),
        (("--live", "5%", "--times", "2"), "--times is for replay in virtual time"),
        (("--virtual", "--judge", "m"), "--judge is for replay with --live: give --live N%"),
        (("--live", "5%", "--tenant", "acme"), "--budget USD"),
        (("--live", "5%", "--budget", "1"), "--tenant NAME"),
        (("--live", "all", "--budget", "1", "--tenant", "acme", *DOOR), "such as 5%"),
        (("--live", "0%", "--budget", "1", "--tenant", "acme", *DOOR), "such as 5%"),
        (("--live", "5", "--budget", "1", "--tenant", "acme", "--rubric", "r"), "--judge MODEL"),
        (("--live", "5", "--budget", "0", "--tenant", "acme"), "budget"),
    ],
)
def test_what_makes_no_sense_is_said(typed: Typed, words: tuple[str, ...], complaint: str) -> None:
    code, _, said = typed(*words)

    assert code == WRONGLY_USED
    assert complaint in said


def test_a_generated_day_is_told_beside_more_of_it(typed: Typed) -> None:
    words = ("--virtual", "--generate", "2000", "--hours", "0.1", "--slots", "10", "--times", "3")
    code, said, _ = typed(*words, "--json")

    told = json.loads(said)
    assert code == 0
    assert told["messages"] == pytest.approx(6_000, abs=10)
    figures = {each["name"]: each for each in told["figures"]}
    assert figures["accepted"]["recorded"] == 2_000
    wait = figures["wait, interactive, p95"]
    assert wait["low"] <= wait["difference"] <= wait["high"]
    assert wait["replayed"] > wait["recorded"]
    assert any(each["what"] == "every slot is taken" for each in told["signs"])


def test_people_are_told_the_same_in_tables(typed: Typed) -> None:
    code, said, _ = typed("--generate", "500", "--hours", "0.1", "--slots", "10")

    assert code == 0
    assert "500 messages from 2026-01-01 00:00:00 UTC" in said
    assert "wait, batch, p95" in said
