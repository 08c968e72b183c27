"""`forebay report` and `forebay rollups` on a ledger, as an operator types them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from deploy.cli.__main__ import DONE, FAILED, WRONGLY_USED, run
from shared.clock import ManualClock, SystemClock
from shared.identifiers import new_response_id
from shared.outcomes.outcome import SUMS
from shared.outcomes.tables import outcome_day
from shared.persistence.engine import Database
from shared.persistence.ledger.accepting import AcceptGroup
from shared.persistence.statements import transaction
from shared.persistence.tenants import TenantRepository
from shared.rollups.delta import Delta
from shared.rollups.folding import Folding
from shared.rollups.tables import rollup_attempt
from tests.integration.rollups.conftest import append
from tests.integration.rollups.facts import attempt_fact, door_sums, turn_fact
from tests.integration.rollups.history import MessageHistory
from tests.queued_message import queued_message


@pytest.fixture(autouse=True)
def surroundings(
    migrated_ledger_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_REDIS__URL", redis_url)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_ledger_url)
    chain = [{"name": name, "kind": "local"} for name in ("primary", "secondary")]
    monkeypatch.setenv("FOREBAY_PROVIDERS", json.dumps(chain))


@pytest.fixture
async def tenant_id(database: Database, clock: ManualClock) -> str:
    """Acme, of whom four messages have ended, and of somebody else one."""
    acme = await TenantRepository(database, clock).create("acme")
    at = datetime.fromisoformat("2026-01-31T12:00:00+00:00")
    of: dict[str, Any] = {"tenant_id": acme.id}
    turns = (
        turn_fact(at, **of, answered_by="primary", latency_ms=1_000),
        turn_fact(at, **of, answered_by="secondary", latency_ms=3_000),
        turn_fact(at, **of, saved_nanos=2_000_000_000, latency_ms=0, in_deadline=0),
        turn_fact(at, **of, state="cancelled", answered_by=None, in_deadline=0, latency_ms=0),
        turn_fact(at, tenant_id="ten_gone", answered_by="human:ann"),
    )
    attempts = (
        attempt_fact(at, **of, cost_nanos=40_000_000),
        attempt_fact(at, **of, cost_nanos=0, error_class="rejected"),
    )
    doors = (
        door_sums(at, reason="user_rate_limited_tokens", count=3, **of),
        door_sums(at, reason="lane_overloaded", count=2, **of),
    )
    await append(database, Delta(turns, attempts, doors))
    await _accept(database, clock, acme.id, deadline=at)
    await _accept(database, clock, acme.id, deadline=clock.now() + timedelta(days=36_500))
    await _outcomes(database, acme.id, day="2026-01-31", caught=2, verdicts=2, score=1.5)
    await _outcomes(database, acme.id, day="2026-02-01", caught=9, verdicts=9, score=0.0)
    return acme.id


async def _accept(database: Database, clock: ManualClock, tenant_id: str, **told: Any) -> None:
    """What nobody has answered."""
    group = AcceptGroup(database, wake_after_seconds=15)
    await group.flush([queued_message(id=new_response_id(), tenant_id=tenant_id, **told)])


async def _outcomes(database: Database, tenant_id: str, **told: Any) -> None:
    row = dict.fromkeys(SUMS, 0) | dict.fromkeys(("version", "model", "route", "variant"), "")
    async with transaction(database.durable) as connection:
        await connection.execute(insert(outcome_day).values(row | {"tenant_id": tenant_id} | told))


async def _typed(*words: str) -> int:
    return await asyncio.to_thread(run, [*words])


async def test_a_line_tells_what_was_answered_how_soon_and_for_how_much(
    tenant_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    days = ("--from", "2026-01-31", "--to", "2026-01-31")
    assert await _typed("report", *days, "--tenant", "acme", "--json") == DONE
    (row,) = json.loads(capsys.readouterr().out)
    assert row.pop("p95_seconds") == pytest.approx(2.8, abs=0.2)
    assert row == {
        "tenant_id": tenant_id,
        "messages": 4,
        "overdue": 1,
        "cancelled": 1,
        "mean_seconds": 1.0,
        "availability": 2 / 4,
        "cost": "0.04",
        "cost_per_message": "0.01",
        "saved": "2",
        "satisfaction": 0.75,
        "hallucinations": 2,
        "caught": 1,
        "fallbacks": 1,
        "refused": 5,
        "abuse": 3,
    }
    assert await _typed("report", *days) == DONE
    shown = capsys.readouterr().out
    assert "acme" in shown
    assert "50.00%" in shown


async def test_csv_has_a_line_for_each_tenant_and_one_for_all(
    tenant_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tenant_id
    assert await _typed("report", "--from", "2026-01-01", "--to", "2026-02-28", "--csv") == DONE
    rows = [*csv.DictReader(io.StringIO(capsys.readouterr().out))]
    told = {row["tenant"]: (row["messages"], row["fallbacks"]) for row in rows}
    assert told == {"acme": ("4", "1"), "ten_gone": ("1", "1"), "all": ("5", "2")}


async def test_of_days_in_which_nothing_ended_it_says_so(
    tenant_id: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tenant_id
    assert await _typed("report", "--from", "2026-02-01", "--to", "2026-02-02") == DONE
    assert capsys.readouterr().out == "Nothing has ended in these days.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--from", "soon"), "--from 'soon' is no day"),
        (("--to", "9999-12-31"), "--to '9999-12-31' is no day of 2000 to 2999"),
        (("--from", "0001-01-01"), "--from '0001-01-01' is no day of 2000 to 2999"),
        (("--from", "2026-02-02", "--to", "2026-02-01"), "Write the earlier day first."),
    ],
)
async def test_days_that_are_none_are_refused(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _typed("report", *words) == WRONGLY_USED
    assert told in capsys.readouterr().err


async def test_a_tenant_that_there_is_not_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert await _typed("report", "--tenant", "nobody") == FAILED
    assert "nobody" in capsys.readouterr().err


async def test_figures_that_went_astray_are_put_right(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock(SystemClock().now().replace(hour=1))
    history, folding = MessageHistory(database, clock, 5), Folding(database)
    for _ in range(40):
        await history.step()
    await folding.fold()
    async with transaction(database.durable) as connection:
        await connection.execute(delete(rollup_attempt))
    days = ("--from", "yesterday", "--to", "today")
    assert await _typed("rollups", "rebuild", *days) == DONE
    yesterday, today = capsys.readouterr().out.splitlines()
    assert "right as it was" in yesterday
    assert "rows put right" in today
    await folding.fold()
    assert await _typed("rollups", "rebuild", *days, "--json") == DONE
    assert [day["corrected"] for day in json.loads(capsys.readouterr().out)] == [0, 0]
    await history.ledger.close()
