"""The rules that are written for Prometheus are the product's own, and come out as they should."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from deploy.cli.__main__ import run
from tests.servers.promtool import check_rules, needs_prometheus, rehearse_rules

RULES: Final = Path(__file__).parents[3] / "deploy" / "prometheus" / "rules.yml"
EXAMPLES: Final = Path(__file__).with_name("rules_examples.yml")


def test_the_committed_rules_are_what_export_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["alerts", "export"]) == 0
    printed = capsys.readouterr()
    assert printed.out == RULES.read_text(), "forebay alerts export > deploy/prometheus/rules.yml"
    assert "budget_50" in printed.err


@needs_prometheus
def test_prometheus_takes_the_rules() -> None:
    check_rules(RULES)


@needs_prometheus
def test_rules_fire_on_what_is_wrong_and_on_nothing_else(tmp_path: Path) -> None:
    examples = tmp_path / "examples.yml"
    examples.write_text(EXAMPLES.read_text().replace("RULES", str(RULES)))
    rehearse_rules(examples)
