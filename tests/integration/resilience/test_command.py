"""`forebay breakers`, as an operator types it."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from deploy.cli.__main__ import DONE, FAILED, run
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.redis.client import open_redis
from shared.settings.resilience import BreakerSettings
from tests.integration.patience import patient_settings
from tests.servers.migrated import migrate

NAME = "primary/org/model-1"


async def report(redis_url: str, outcomes: str) -> str:
    redis = open_redis(patient_settings(redis_url))
    fleet = BreakerFleet(redis, BreakerSettings(), SystemClock())
    try:
        return (await fleet.report(NAME, outcomes=outcomes)).state
    finally:
        await fleet.close()
        await redis.aclose()


@pytest.fixture
def operator(redis_url: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    migrate(sqlite_url)
    monkeypatch.setenv("FOREBAY_REDIS__URL", redis_url)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", sqlite_url)
    return redis_url


def test_an_open_breaker_is_shown_and_reset(
    operator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    assert asyncio.run(report(operator, "fffff")) == "open"

    assert run(["breakers", "--json"]) == DONE
    took = time.monotonic() - began
    (shown,) = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["state"]) == (NAME, "open")
    assert 29 - took < shown["seconds_left"] <= 30

    assert run(["breakers", "reset", NAME]) == DONE
    assert asyncio.run(report(operator, "")) == "closed"


def test_a_name_that_nobody_knows_is_refused_with_the_remedy(
    operator: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["breakers", "reset", "nobody/knows"]) == FAILED
    assert "forebay breakers" in capsys.readouterr().err
    assert run(["breakers"]) == DONE
    assert "all are closed" in capsys.readouterr().out


def test_without_redis_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOREBAY_REDIS__URL", "redis://127.0.0.1:1/0")

    assert run(["breakers"]) == FAILED
    assert len(capsys.readouterr().err.splitlines()) == 1
