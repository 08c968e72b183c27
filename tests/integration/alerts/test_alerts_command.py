"""`forebay alerts` before a real ledger and real sinks."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from deploy.cli.__main__ import run

from .conftest import WatchedLedger, told_to
from .test_alert_rounds import SINK


@pytest.fixture
def forebay(
    migrated_ledger_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOREBAY_LEDGER__URL", migrated_ledger_url)
    return monkeypatch


def _said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["alerts", *words]) == code
    return capsys.readouterr().out


async def _fire(watched: WatchedLedger) -> None:
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(told_to(SINK)), seconds=60)


def test_what_fires_is_shown_acknowledged_and_silenced(
    watched: WatchedLedger,
    forebay: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:

    empty = _said(capsys, "list")
    assert empty.startswith("Nothing fires.")
    assert "Never had data, and cannot fire: budget_50" in empty
    asyncio.run(_fire(watched))
    found = json.loads(_said(capsys, "list", "--json"))
    (alert,) = found["active"]
    assert (alert["state"], alert["labels"]) == ("firing", {"tenant": "ten_1"})
    assert "ten_1 has waited 20." in _said(capsys, "list")
    _said(capsys, "list", "--after", "none", code=1)
    assert run(["alerts", "list", "--limit", "1"]) == 0
    assert f"There may be more: --after {alert['fingerprint']}" in capsys.readouterr().err
    assert (
        json.loads(_said(capsys, "list", "--after", alert["fingerprint"], "--json"))["active"] == []
    )
    said = _said(capsys, "acknowledge", alert["fingerprint"], "--by", "ann")
    assert said.startswith("Acknowledged by ann")
    made = json.loads(_said(capsys, "silence", "rule=wai*", "--for", "1h", "--json"))
    assert made["matchers"] == {"rule": "wai*"}
    assert made["id"] in _said(capsys, "list")
    assert _said(capsys, "silence", "--end", made["id"]) == f"Ended: {made['id']}.\n"
    newest, oldest = json.loads(_said(capsys, "list", "--history", "--json"))
    assert (newest["kind"], oldest["kind"]) == ("acknowledged", "fired")
    page = _said(capsys, "list", "--history", "--after", newest["id"], "--json")
    assert json.loads(page) == [oldest]
    _said(capsys, "silence", code=2)
    _said(capsys, "silence", "latency", code=2)
    _said(capsys, "acknowledge", "none", code=1)


def test_a_test_goes_through_every_sink_and_says_what_came_of_it(
    forebay: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "told"
    keep = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    sinks = [
        {"name": "runs", "kind": "command", "argv": [sys.executable, "-c", keep, str(file)]},
        {"name": "fails", "kind": "command", "argv": ["/no/such"]},
    ]
    forebay.setenv("FOREBAY_ALERTS__SINKS", json.dumps(sinks))
    outcomes = json.loads(_said(capsys, "test", "--json", code=1))
    assert outcomes["runs"] == {"ok": True, "error": None}
    assert "cannot be run" in outcomes["fails"]["error"]
    assert json.loads(file.read_text())["is_test"] is True
    assert "It took the message." in _said(capsys, "test", "--sink", "runs")
    assert run(["audit", "list", "--json"]) == 0
    kept = [json.loads(each["detail"]) for each in json.loads(capsys.readouterr().out)]
    took = [each["took"] for each in kept if "took" in each]
    assert took == [{"runs": True}, {"runs": True, "fails": False}]
    _said(capsys, "test", "--sink", "none", code=2)
