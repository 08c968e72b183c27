"""Fact sources that cannot work are found when settings are read, with the key and the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import SettingsError
from shared.settings import load_settings, with_secrets
from shared.settings.turn.fact_field import FactType
from shared.settings.turn.fact_source import FactSourceSettings, SourceFailure

SQL: dict[str, Any] = {
    "name": "bank",
    "kind": "sql",
    "url": "postgresql+psycopg://reader@127.0.0.1/bank",
    "query": "SELECT balance FROM account WHERE user_id = :user_id",
}
HTTP: dict[str, Any] = {"name": "shop", "kind": "http", "url": "https://shop.test/users/{user_id}"}


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(*sources: dict[str, Any], **env: str) -> tuple[FactSourceSettings, ...]:
    env = {"FOREBAY_FACTS__SOURCES": json.dumps(sources), **env}
    return with_secrets(load_settings(env), env).facts.sources


def findings(*sources: dict[str, Any], **env: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        read(*sources, **env)
    return list(refused.value.findings)


def test_a_file_sets_them(tmp_path: Path) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(
        '[facts]\ntell_model = true\n[[facts.sources]]\nname = "bank"\nkind = "sql"\n'
        'url_env = "BANK"\nquery = "SELECT balance FROM account WHERE id = :metadata_account"\n'
        '[facts.sources.facts.balance]\ntype = "money"\ncurrency = "USD"\n'
    )
    address = "postgresql+psycopg://reader:secret@127.0.0.1/bank"
    facts = with_secrets(load_settings({}, file=file), {"BANK": address}).facts
    (source,) = facts.sources
    assert (facts.tell_model, source.url) == (True, address)
    assert source.facts["balance"].type is FactType.MONEY
    assert source.on_failure is SourceFailure.ANSWER
    assert "secret" not in repr(facts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"query": "SELECT 1 WHERE a = :account"}, "a query that takes :account"),
        ({"query": None}, "needs query"),
        ({"url": None}, "needs url"),
        ({"url": "mysql://127.0.0.1/x"}, "unknown database"),
        ({"url": "postgresql+psycopg://[::1/x"}, "unknown database"),
        ({"url": "postgresql+psycopg://a:hidden@127.0.0.1/x"}, "has a password in its url"),
        ({"body": "{}"}, "has body, which only http takes"),
        ({"url": None, "url_env": "NOT_SET"}, "$NOT_SET, which is not set"),
        ({"facts": {"balance": {"pointer": "/a"}}}, "has facts.balance.pointer"),
    ],
)
def test_a_database_that_cannot_be_asked_is_named_with_its_fix(
    change: dict[str, Any], said: str
) -> None:
    (finding,) = findings({key: value for key, value in (SQL | change).items() if value})
    assert finding.startswith("facts.sources: 'bank' ")
    assert said in finding
    assert "hidden" not in finding


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "shop.test/users"}, "Write a whole one"),
        ({"url": "https://[::1/users"}, "Write a whole one"),
        ({"url": "https://shop.test:port/users"}, "Write a whole one"),
        ({"url": "https://{user_id}.shop.test/"}, "a placeholder in its host"),
        ({"url": "https://shop.test/{user}"}, "a url that takes {user}"),
        ({"url": "https://shop.test/{user-id}"}, "a brace that is part of no placeholder"),
        ({"url": "https://a:hidden@shop.test/"}, "has a login in its url"),
        ({"url": "https://shop.test/#top"}, "with a fragment"),
        ({"body": "{}"}, "which only POST sends"),
        ({"body": "{", "method": "POST"}, "a body that is no JSON"),
        ({"body": '{"a": "{b}"}', "method": "POST"}, "a body that takes {b}"),
        ({"query": "SELECT 1"}, "has query, which only sql takes"),
        ({"facts": {"balance": {"pointer": "a"}}}, "Begin it with /"),
    ],
)
def test_a_server_that_cannot_be_asked_is_named_with_its_fix(
    change: dict[str, Any], said: str
) -> None:
    (finding,) = findings(HTTP | change)
    assert finding.startswith("facts.sources: 'shop' ")
    assert said in finding
    assert "hidden" not in finding


def test_an_address_that_only_workers_know_is_held_against_the_rules_there() -> None:
    named = SQL | {"url": None, "url_env": "BANK"}
    (finding,) = findings(named, BANK="mysql://a:hidden@127.0.0.1/x")
    assert "unknown database" in finding
    assert "hidden" not in finding


def test_two_sources_of_one_name_are_told_apart_by_nobody() -> None:
    assert findings(SQL, HTTP | {"name": "bank"}) == [
        "facts.sources: two are named 'bank'. Give each its own name."
    ]


def test_a_human_must_be_there_to_be_handed_to() -> None:
    handing = SQL | {"on_failure": "hand_off"}
    rules = [{"name": "rules", "kind": "rules", "rules_file": "rules.toml"}]
    (finding,) = findings(handing, FOREBAY_PROVIDERS=json.dumps(rules))
    assert "no provider of kind handoff" in finding
    assert read(handing)


@pytest.mark.parametrize(
    "field", [{"type": "amount"}, {"currency": "dollars"}, {"words": [""]}, {"unit": "x"}]
)
def test_an_unknown_type_of_fact_is_refused(field: dict[str, Any]) -> None:
    (finding,) = findings(SQL | {"facts": {"balance": field}})
    assert finding.startswith("facts.sources = ")
    assert next(iter(field)) in finding


def test_a_password_is_not_told_with_another_fault() -> None:
    wrong = SQL | {"url": "postgresql+psycopg://a:hidden@127.0.0.1/x", "kind": "ldap"}
    assert "hidden" not in "".join(findings(wrong))
