"""`forebay check` says of each fact source whether it can be asked, and what to do if not."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from deploy.cli.check.fact_sources import check_fact_sources
from deploy.cli.check.finding import Level
from shared.settings.secret import ServerUrl
from shared.settings.turn.fact_field import FactField
from shared.settings.turn.fact_source import FactSourceKind, FactSourceSettings, SourceFailure
from shared.settings.turn.facts import FactSettings
from tests.integration.facts.shop import Shop


def sql(folder: Path, name: str, query: str, **more: Any) -> FactSourceSettings:
    url = ServerUrl(f"sqlite+aiosqlite:///{folder / 'bank.sqlite3'}")
    return FactSourceSettings(name=name, kind=FactSourceKind.SQL, url=url, query=query, **more)


def http(name: str, url: str, **more: Any) -> FactSourceSettings:
    return FactSourceSettings(name=name, kind=FactSourceKind.HTTP, url=ServerUrl(url), **more)


async def test_every_source_is_tried_and_none_is_told_of_a_user(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bank.sqlite3") as bank:
        bank.execute("CREATE TABLE account (user_id TEXT, balance REAL)")
    query = "SELECT balance FROM account WHERE user_id = :user_id"
    with Shop() as shop:
        sources = (
            sql(tmp_path, "fine", query),
            sql(tmp_path, "lacking", query, facts={"credit": FactField()}),
            sql(tmp_path, "wrong", "SELECT x FROM nowhere", on_failure=SourceFailure.FAIL),
            http("shop", f"{shop.url}/of/{{user_id}}"),
            http("gone", "http://127.0.0.1:1/{user_id}"),
        )
        findings = await check_fact_sources(FactSettings(sources=sources))
        assert shop.paths == []
    assert [finding.level for finding in findings] == [
        Level.FINE,
        Level.HINT,
        Level.FAULT,
        Level.FINE,
        Level.HINT,
    ]
    said = [finding.sentence for finding in findings]
    assert said[0] == "'fine': its query runs and gives balance."
    assert "no column credit" in said[1]
    assert "nowhere" in said[2]
    assert "no message is answered" in said[2]
    assert "cannot be reached" in said[4]


async def test_without_sources_nothing_is_said() -> None:
    assert await check_fact_sources(FactSettings()) == []
