"""`forebay costs` on a ledger, as an operator types it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from redis.asyncio import Redis

from deploy.cli.__main__ import FAILED, WRONGLY_USED, run
from shared.accepting.key_changes import KEY_CHANGES
from shared.clock import Clock, SystemClock
from shared.messages.tenant import Plan
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from tests.integration.costs.conftest import SettleTurn


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture(autouse=True)
def surroundings(
    migrated_ledger_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_REDIS__URL", redis_url)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_ledger_url)


async def test_it_prints_what_was_spent_today(
    settle_turn: SettleTurn, capsys: pytest.CaptureFixture[str]
) -> None:
    await settle_turn("0.25", None, user="ann")
    assert await asyncio.to_thread(run, ["costs", "--by", "user"]) == 0
    shown = capsys.readouterr().out
    assert "ann" in shown
    assert "0.250000" in shown
    assert "Unknown:" in shown
    await asyncio.to_thread(run, ["costs", "--by", "user", "--json"])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["of"], row["cost"], row["unknown"]) == ("ann", "0.25", 1)


async def test_it_begins_where_it_is_told(
    settle_turn: SettleTurn, capsys: pytest.CaptureFixture[str]
) -> None:
    await settle_turn("0.25")
    for since, found in (("all", 1), ("1h", 1), ("2999-01-01", 0)):
        await asyncio.to_thread(run, ["costs", "--since", since, "--json"])
        assert len(json.loads(capsys.readouterr().out)) == found
    assert await asyncio.to_thread(run, ["costs", "--since", "soon"]) == WRONGLY_USED
    assert "'soon' is no time" in capsys.readouterr().err


async def test_a_cap_is_set_and_taken_away(
    database: Database, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    tenants = TenantRepository(database, clock)
    plan = Plan(60, 6000, 6, 600, 10)
    await tenants.create("acme", plan)
    for amount, shown in (("0.50", "$0.50 a day"), ("none", "no cap")):
        assert await asyncio.to_thread(run, ["costs", "cap", amount, "--tenant", "acme"]) == 0
        assert shown in capsys.readouterr().out
        owner = await tenants.named("acme")
        assert owner is not None
        assert owner.plan is not None
        assert str(owner.plan.daily_budget).lower() == amount
        assert owner.plan.requests_per_minute == 60


async def test_doors_are_told_of_a_cap(database: Database, clock: Clock, redis_url: str) -> None:
    owner = await TenantRepository(database, clock).create("acme")
    async with Redis.from_url(redis_url) as redis, redis.pubsub() as doors:
        await doors.subscribe(KEY_CHANGES)
        assert await asyncio.to_thread(run, ["costs", "cap", "1", "--tenant", "acme"]) == 0
        async with asyncio.timeout(60):
            async for said in doors.listen():
                if said["data"] == owner.id.encode():
                    break


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (["cap", "much", "--tenant", "acme"], WRONGLY_USED, "'much' is no amount"),
        (["cap", "1e999", "--tenant", "acme"], WRONGLY_USED, "'1e999' is no amount"),
        (["cap", "-1", "--tenant", "acme"], WRONGLY_USED, ""),
        (["cap", "1", "--tenant", "nobody"], FAILED, "no tenant named 'nobody'"),
    ],
)
async def test_a_cap_that_cannot_be_set_says_why(
    arguments: list[str], code: int, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(run, ["costs", *arguments]) == code
    assert complaint in capsys.readouterr().err
