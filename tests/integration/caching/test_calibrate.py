"""`forebay cache calibrate` with the real encoder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.cli.__main__ import run


def test_the_shipped_pairs_show_what_the_guard_is_worth(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["cache", "calibrate", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    at = {
        (kind, round(rates["threshold"], 2)): rates
        for kind in ("guarded", "unguarded")
        for rates in report[kind]
    }
    assert at["unguarded", 0.8]["false_hit_rate"] > 0.3
    assert at["guarded", 0.8]["false_hit_rate"] < 0.05
    assert at["guarded", 0.7]["hit_rate"] > 0.5


def test_enough_clean_pairs_prove_a_bound_and_name_the_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "pairs.jsonl"
    same = {"first": "How do I enable 2FA?", "second": "How do I turn on 2FA?", "same": True}
    other = {"first": "How do I enable 2FA?", "second": "How do I disable 2FA?", "same": False}
    lines = [{**pair, "half": half} for pair in (same, other) for half in ("tune", "report")] * 60
    file.write_text("\n".join(json.dumps(line) for line in lines))
    assert run(["cache", "calibrate", "--file", str(file), "--bound", "0.05"]) == 0
    told = capsys.readouterr().out
    assert "caching.semantic.threshold = 0.60" in told
    assert "polarity 120" in told


def test_a_bad_line_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"first": "a", "second": "b", "same": true}\n{"first": 1}\n')
    assert run(["cache", "calibrate", "--file", str(file)]) == 2
    assert "line 2" in capsys.readouterr().err


@pytest.mark.parametrize("bound", ["0", "1", "-1", "nan"])
def test_a_bound_that_is_no_share_is_refused(bound: str) -> None:
    assert run(["cache", "calibrate", "--bound", bound]) == 2
