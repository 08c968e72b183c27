"""Commands that change something are in the audit log before they are done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import run
from tests.servers.migrated import migrate


@pytest.fixture
def typed(
    tmp_path: Path,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    migrate(sqlite_url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", sqlite_url)
    monkeypatch.setenv("FOREBAY_REDIS__URL", "redis://127.0.0.1:1/0")

    def type_it(*arguments: str) -> tuple[int, Any]:
        code = run([*arguments, "--json"])
        said = capsys.readouterr().out
        return code, json.loads(said) if said else None

    return type_it


def _acts(typed: Any) -> list[tuple[str, str, str]]:
    _, entries = typed("audit", "list")
    return [(each["act"], each["target"], each["detail"]) for each in entries]


def test_what_was_done_is_listed_with_who_did_it_and_without_secrets(typed: Any) -> None:
    _, made = typed("keys", "create", "--tenant", "acme", "--expires", "30d")
    typed("keys", "revoke", made["record"]["id"])
    typed("costs", "cap", "12.50", "--tenant", "acme")
    assert _acts(typed) == [
        ("costs.cap", "acme", '{"amount":"12.50"}'),
        ("keys.revoke", made["record"]["id"], "{}"),
        ("keys.create", "acme", '{"expires":"30d"}'),
    ]
    _, entries = typed("audit", "list")
    assert made["key"] not in json.dumps(entries)
    assert {each["role"] for each in entries} == {"command line"}
    assert all("@" in each["actor"] for each in entries)
    code, found = typed("audit", "verify", "--head", entries[0]["digest"])
    assert (code, found["ok"], found["entries"]) == (0, True, 3)


def test_several_words_are_recorded_as_they_were_typed(typed: Any) -> None:
    typed("alerts", "silence", "rule=latency", "tenant=ten_*")
    ((act, target, _),) = _acts(typed)
    assert (act, target) == ("alerts.silence", "rule=latency tenant=ten_*")


def test_one_that_failed_is_recorded_as_failed(typed: Any) -> None:
    code, _ = typed("keys", "revoke", "key_none")
    assert code == 1
    assert _acts(typed) == [
        ("keys.revoke", "key_none", '{"failed":"not_found","of":1}'),
        ("keys.revoke", "key_none", "{}"),
    ]


def test_what_shows_something_or_was_wrongly_typed_is_no_act(typed: Any) -> None:
    typed("keys", "create", "--tenant", "acme")
    typed("tenants", "limits", "acme")
    typed("tenants", "limits", "acme", "--weight", "x")
    typed("keys", "list")
    assert len(_acts(typed)) == 1
    typed("tenants", "limits", "acme", "--weight", "2")
    assert _acts(typed)[0] == ("tenants.limits", "acme", '{"weight":2.0}')


def test_a_log_without_that_head_fails(typed: Any) -> None:
    typed("keys", "create", "--tenant", "acme")
    code, found = typed("audit", "verify", "--head", "f" * 64)
    assert (code, found["ok"], found["broken"]) == (1, False, None)
