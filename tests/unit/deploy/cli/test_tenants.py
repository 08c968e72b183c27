"""A tenant has the limits of the settings until it is given its own, and has them again after."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from deploy.cli.__main__ import DONE, FAILED, run
from deploy.cli.connection import command_settings, open_ledger
from shared.clock import SystemClock
from shared.persistence.tenants import TenantRepository

CAPTURE = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _ledger(migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_sqlite_url)
    monkeypatch.setenv("FOREBAY_LIMITS__TOKENS_PER_MINUTE", "777")
    run(["keys", "create", "--tenant", "acme"])


def told(capsys: CAPTURE, *arguments: str) -> Any:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == DONE
    return json.loads(capsys.readouterr().out)


def test_limits_become_a_tenants_own_and_are_given_up_again(capsys: CAPTURE) -> None:
    limits = ("tenants", "limits", "acme")
    assert told(capsys, *limits)["plan"] == "settings"
    own = told(capsys, *limits, "--requests-per-minute", "5", "--max-in-flight", "2")
    assert own["plan"] == "its own"
    figures = ("requests_per_minute", "max_in_flight", "tokens_per_minute")
    assert [own["limits"][name] for name in figures] == [5, 2, 777]
    assert told(capsys, "tenants", "list") == [own]
    assert told(capsys, *limits, "--from-settings")["plan"] == "settings"


def test_a_weight_is_kept_where_the_dispatcher_reads_it(capsys: CAPTURE) -> None:
    own = told(capsys, "tenants", "limits", "acme", "--weight", "2.5")
    assert own["limits"]["weight"] == 2.5
    assert told(capsys, "tenants", "list") == [own]
    assert asyncio.run(_weights()) == {own["id"]: 2.5}
    told(capsys, "tenants", "limits", "acme", "--weight", "1")
    assert asyncio.run(_weights()) == {}


async def _weights() -> dict[str, float]:
    settings = command_settings()
    async with open_ledger(settings) as database:
        return await TenantRepository(database, SystemClock()).weights()


def test_the_budget_of_costs_cap_is_a_part_of_the_same_plan(capsys: CAPTURE) -> None:
    told(capsys, "costs", "cap", "25", "--tenant", "acme")
    own = told(capsys, "tenants", "limits", "acme", "--max-in-flight", "2")
    assert own["limits"]["daily_budget"] == "25"


@pytest.mark.parametrize(
    "arguments",
    [
        ["tenants", "limits", "nobody"],
        ["keys", "list", "--tenant", "nobody"],
        ["costs", "cap", "1", "--tenant", "nobody"],
    ],
)
def test_a_tenant_that_is_not_there_is_said_with_where_to_look(
    arguments: list[str], capsys: CAPTURE
) -> None:
    assert run(arguments) == FAILED
    assert (
        "There is no tenant named 'nobody'. See: forebay tenants list." in capsys.readouterr().err
    )


def test_a_message_that_is_not_there_is_said_with_what_ids_look_like(capsys: CAPTURE) -> None:
    assert run(["show", "resp_0"]) == FAILED
    assert "There is no message 'resp_0'" in capsys.readouterr().err
