"""`forebay lanes`, as an operator types it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from deploy.cli.__main__ import DONE, FAILED, WRONGLY_USED, run
from shared.clock import SystemClock
from shared.dispatch.credit import Credits, LaneSlots
from shared.dispatch.flows import Flow, FlowBoard, FlowFigures
from shared.messages.lane import Lane
from shared.redis.client import open_redis
from shared.redis.guarded import GuardedRedis
from shared.redis.scripts import run_scripts
from tests.integration.patience import patient_settings

CAPTURE = pytest.CaptureFixture[str]
LONG_SECONDS = 600.0


@pytest.fixture(autouse=True)
def acme(
    migrated_sqlite_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: CAPTURE
) -> str:
    """A tenant, by its id."""
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_sqlite_url)
    monkeypatch.setenv("FOREBAY_REDIS__URL", redis_url)
    assert run(["keys", "create", "--tenant", "acme", "--json"]) == DONE
    tenant_id: str = json.loads(capsys.readouterr().out)["record"]["tenant_id"]
    return tenant_id


async def lead(redis_url: str, flows: dict[Flow, FlowFigures]) -> None:
    lanes = {
        Lane.STANDARD: LaneSlots(0, 8, has_backlog=bool(flows)),
        Lane.BATCH: LaneSlots(3, 8, has_backlog=False),
    }
    async with open_redis(patient_settings(redis_url)) as redis:
        board = FlowBoard(GuardedRedis(redis, SystemClock()))
        writing = board.writing(flows, leader="w1", lease_seconds=LONG_SECONDS)
        await run_scripts(redis, [Credits().setting(lanes, lease_seconds=LONG_SECONDS), *writing])


def told(capsys: CAPTURE, *arguments: str) -> Any:
    assert run(["lanes", *arguments, "--json"]) == DONE
    return json.loads(capsys.readouterr().out)


def test_nobody_dispatches(capsys: CAPTURE) -> None:
    assert told(capsys) == {"leader": None, "lanes": [], "flows": []}
    assert run(["lanes"]) == DONE
    assert capsys.readouterr().out.startswith("Nobody dispatches: no worker that leads is there")


def test_nothing_is_held(redis_url: str, capsys: CAPTURE) -> None:
    asyncio.run(lead(redis_url, {}))
    waits_for_nothing = {"held": 0, "parked": 0, "oldest_seconds": 0.0, "eta_seconds": 0.0}
    assert told(capsys) == {
        "leader": "w1",
        "lanes": [
            {"lane": "standard", "slots": 8, "free": 0} | waits_for_nothing,
            {"lane": "batch", "slots": 8, "free": 3} | waits_for_nothing,
        ],
        "flows": [],
    }
    assert run(["lanes"]) == DONE
    assert "Nothing is held" in capsys.readouterr().out


def test_flows_are_shown_by_their_share(redis_url: str, acme: str, capsys: CAPTURE) -> None:
    asyncio.run(
        lead(
            redis_url,
            {
                Flow(Lane.STANDARD, "ten_gone"): FlowFigures(
                    backlog=2, share=0.25, reason="It waits for its share."
                ),
                Flow(Lane.STANDARD, acme): FlowFigures(
                    backlog=7,
                    backlog_units=1_234.5,
                    share=0.75,
                    oldest_seconds=3.21,
                    eta_seconds=9.0,
                    reason="It waits for its share.",
                ),
                Flow(Lane.BATCH, acme): FlowFigures(backlog=1, reason="No worker."),
            },
        )
    )

    shown = told(capsys)
    assert [(each["lane"], each["tenant"]) for each in shown["flows"]] == [
        ("standard", "acme"),
        ("standard", "ten_gone"),
        ("batch", "acme"),
    ]
    assert [each["held"] for each in shown["lanes"]] == [9, 1]
    assert [each["tenant"] for each in told(capsys, "--lane", "batch")["flows"]] == ["acme"]
    assert [each["lane"] for each in told(capsys, "--tenant", "acme")["flows"]] == [
        "standard",
        "batch",
    ]
    assert run(["lanes", "--lane", "standard", "--tenant", "acme"]) == DONE
    *_, row = capsys.readouterr().out.splitlines()
    assert row.split() == [
        *("standard", "acme", "75%", "7", "1234", "3.2", "s", "9.0", "s"),
        *["It", "waits", "for", "its", "share."],
    ]


def test_a_lane_or_tenant_that_is_not_there(capsys: CAPTURE) -> None:
    assert run(["lanes", "--lane", "express"]) == WRONGLY_USED
    assert "express" in capsys.readouterr().err
    assert run(["lanes", "--tenant", "nobody"]) == FAILED
    assert "There is no tenant named 'nobody'" in capsys.readouterr().err


def test_a_redis_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch, capsys: CAPTURE) -> None:
    monkeypatch.setenv("FOREBAY_REDIS__URL", "redis://127.0.0.1:1/0")
    assert run(["lanes"]) == FAILED
    assert "redis.url" in capsys.readouterr().err
