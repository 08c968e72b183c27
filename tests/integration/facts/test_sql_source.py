"""Facts from a real Postgres and a real SQLite: read, bounded, and never written."""

from __future__ import annotations

import asyncio
import datetime
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from shared.messages.facts import DateFact, MoneyFact, NumberFact, TextFact
from shared.settings.secret import ServerUrl
from shared.settings.turn.fact_field import FactField, FactType
from shared.settings.turn.fact_source import FactSourceKind, FactSourceSettings
from workers.fact_sources.source import FactsUnavailable
from workers.fact_sources.sql_source import SqlSource

NewSource = Callable[..., SqlSource]
QUERY = "SELECT balance, orders, due, status FROM account WHERE user_id = :user_id"
MONEY = {"balance": FactField(type=FactType.MONEY, currency="USD")}
ENDLESS = (
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
    "SELECT max(x) AS x FROM n WHERE x < 0"
)


@pytest.fixture
async def bank_url(ledger_url: str) -> str:
    """An account of ada's and two of bob's."""
    engine = create_async_engine(ledger_url)
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "CREATE TABLE account (user_id TEXT, name TEXT, balance NUMERIC(12, 2), "
                "orders INTEGER, due DATE, status TEXT)"
            )
        )
        for user, name, balance in (
            ("ada", "current", "47.15"),
            ("bob", "current", "10.01"),
            ("bob", "savings", "99.99"),
        ):
            await connection.execute(
                text(
                    f"INSERT INTO account VALUES ('{user}', '{name}', {balance}, 3, "
                    "'2026-12-01', 'open')"
                )
            )
    await engine.dispose()
    return ledger_url


@pytest.fixture
async def new_source(bank_url: str) -> AsyncIterator[NewSource]:
    opened: list[SqlSource] = []

    def build(query: str = QUERY, **more: Any) -> SqlSource:
        settings = {
            "name": "bank",
            "kind": FactSourceKind.SQL,
            "url": ServerUrl(bank_url),
            "query": query,
            "timeout_seconds": 60.0,  # the machine may be busy
            **more,
        }
        opened.append(SqlSource(FactSourceSettings(**settings)))
        return opened[-1]

    yield build
    for source in opened:
        await source.close()
    await _until_no_thread_is_left()


async def _until_no_thread_is_left() -> None:
    """A connection of aiosqlite that did not open, or was cut off, ends by itself a little later.

    Its thread needs the loop for that, which is closed with the test.
    """
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, 60)


async def test_the_columns_of_a_row_are_facts(new_source: NewSource) -> None:
    facts = await new_source().look_up({"user_id": "ada"})
    assert facts == {
        "balance": MoneyFact(value=Decimal("47.15")),
        "orders": NumberFact(value=Decimal(3)),
        "due": DateFact(value=datetime.date(2026, 12, 1)),
        "status": TextFact(value="open"),
    }


async def test_the_settings_choose_and_type_the_facts(new_source: NewSource) -> None:
    facts = await new_source(f"{QUERY} ; ", facts=MONEY).look_up({"user_id": "ada"})
    assert facts == {"balance": MoneyFact(value=Decimal("47.15"), currency="USD")}


async def test_nobody_has_no_facts(new_source: NewSource) -> None:
    assert await new_source().look_up({"user_id": "nobody"}) == {}


async def test_what_a_message_gives_is_bound_and_never_spliced_in(new_source: NewSource) -> None:
    source = new_source()
    for hostile in ("' OR '1'='1", "ada'; DROP TABLE account; --", "ada') LIMIT 1 --"):
        assert await source.look_up({"user_id": hostile}) == {}
    assert await source.look_up({"user_id": "ada"})


async def test_rows_are_named_by_a_column_or_are_too_many(new_source: NewSource) -> None:
    with pytest.raises(FactsUnavailable, match="more than 1 row"):
        await new_source().look_up({"user_id": "bob"})
    query = "SELECT name, balance FROM account WHERE user_id = :user_id  -- both"
    named = new_source(query, name_column="name", facts=MONEY)
    facts = await named.look_up({"user_id": "bob"})
    assert {name: fact.shown for name, fact in facts.items()} == {
        "current_balance": "10.01 USD",
        "savings_balance": "99.99 USD",
    }
    with pytest.raises(FactsUnavailable, match="more than 1 row"):
        await new_source(query, name_column="name", max_rows=1).look_up({"user_id": "bob"})


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM account RETURNING balance",
        "UPDATE account SET balance = 0 RETURNING balance",
        "SELECT balance FROM account); DELETE FROM account; --",
        "SELECT balance FROM nowhere",
        "SELEC 1",
    ],
)
async def test_a_query_that_writes_or_cannot_run_changes_nothing(
    new_source: NewSource, query: str
) -> None:
    with pytest.raises(FactsUnavailable):
        await new_source(query).look_up({"user_id": "ada"})
    assert await new_source().look_up({"user_id": "ada"})


async def test_a_query_without_end_is_stopped_and_the_source_goes_on(
    new_source: NewSource, bank_url: str
) -> None:
    source = new_source(ENDLESS, timeout_seconds=0.3, pool_size=1)
    for _ in range(2):
        started = time.monotonic()
        with pytest.raises(FactsUnavailable):
            await source.look_up({})
        assert time.monotonic() - started < 60
    await asyncio.wait_for(source.close(), 60)  # no thread and no server still works on it


async def test_a_parameter_of_the_wrong_type_is_not_quoted(postgres_url: str) -> None:
    settings = FactSourceSettings(
        name="bank",
        kind=FactSourceKind.SQL,
        url=ServerUrl(postgres_url),
        query="SELECT CAST(:user_id AS integer) AS orders",
        timeout_seconds=60.0,
    )
    source = SqlSource(settings)
    assert await source.look_up({"user_id": "3"}) == {"orders": NumberFact(value=Decimal(3))}
    for private in ("ada's secret", "nul\0"):
        with pytest.raises(FactsUnavailable, match="cannot take what the message gives") as found:
            await source.look_up({"user_id": private})
        assert "ada" not in found.value.message
    await source.close()


async def test_many_ask_at_once(new_source: NewSource) -> None:
    source = new_source(pool_size=2)
    found = await asyncio.gather(*(source.look_up({"user_id": "ada"}) for _ in range(50)))
    assert all(facts["balance"].shown == "47.15" for facts in found)


async def test_a_probe_tells_what_the_query_gives_or_lacks(new_source: NewSource) -> None:
    assert await new_source().probe() == "its query runs and gives balance, orders, due, status"
    with pytest.raises(FactsUnavailable, match="has no column credit in its query"):
        await new_source(facts={"credit": FactField()}).probe()
    with pytest.raises(FactsUnavailable, match="nowhere"):
        await new_source("SELECT 1 FROM nowhere").probe()


async def test_a_database_that_is_not_there_is_unavailable_and_not_made(
    new_source: NewSource, bank_url: str
) -> None:
    url = make_url(bank_url)
    gone = url.set(database=f"{url.database}.gone")
    source = new_source(url=ServerUrl(gone.render_as_string(hide_password=False)))
    for _ in range(2):
        with pytest.raises(FactsUnavailable):
            await source.look_up({"user_id": "ada"})


async def test_a_database_that_falls_silent_is_given_up_in_time(own_postgres: Any) -> None:
    settings = FactSourceSettings(
        name="bank",
        kind=FactSourceKind.SQL,
        url=ServerUrl(own_postgres.url),
        query="SELECT 47.15 AS balance",
        timeout_seconds=0.3,
    )
    source = SqlSource(settings)
    await _answered(source)
    own_postgres.pause()
    try:
        async with asyncio.timeout(60):
            with pytest.raises(FactsUnavailable, match=r"within 0\.3 s"):
                await source.look_up({})
    finally:
        own_postgres.resume()
    await _answered(source)  # it is asked again when it is back
    await source.close()


async def _answered(source: SqlSource) -> None:
    """Returns once it has given something; on a busy machine 0.3 s may not be enough."""
    async with asyncio.timeout(60):
        while True:
            with suppress(FactsUnavailable):
                assert await source.look_up({})
                return
