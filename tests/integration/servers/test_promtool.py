"""That what the tests ask promtool can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.promtool import (
    check_config,
    check_metrics,
    check_rules,
    needs_prometheus,
    rehearse_rules,
)

pytestmark = needs_prometheus

RULES = """
groups:
  - name: example
    rules:
      - alert: Lost
        expr: increase(forebay_dead_letters_total{job="forebay-worker"}[5m]) > 0
"""
REHEARSAL = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: forebay_dead_letters_total{job="forebay-worker", reason="fault"}
        values: 0 0 1 1
    alert_rule_test:
      - eval_time: 3m
        alertname: Lost
        exp_alerts: [EXPECTED]
"""
FIRED = "{exp_labels: {job: forebay-worker, reason: fault}}"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yml"
    file.write_text(RULES)
    return file


def test_rules_that_can_be_read_pass(rules: Path) -> None:
    check_rules(rules)


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [("increase(", "increase((", "parse"), ("alert:", "alarm:", "alarm not found")],
)
def test_rules_that_cannot_be_read_do_not(rules: Path, right: str, wrong: str, why: str) -> None:
    rules.write_text(RULES.replace(right, wrong))
    with pytest.raises(AssertionError, match=why):
        check_rules(rules)


def test_the_same_rule_twice_does_not_pass(rules: Path) -> None:
    again = RULES.partition("rules:\n")[2]
    rules.write_text(RULES + again.lstrip("\n"))
    with pytest.raises(AssertionError, match="duplicate"):
        check_rules(rules)


def test_a_rehearsal_passes_when_the_alert_is_as_expected(rules: Path) -> None:
    rehearsal = rules.with_name("rehearsal.yml")
    rehearsal.write_text(REHEARSAL.replace("EXPECTED", FIRED))
    rehearse_rules(rehearsal)
    rehearsal.write_text(REHEARSAL.replace("EXPECTED", ""))
    with pytest.raises(AssertionError, match="Lost"):
        rehearse_rules(rehearsal)


def test_a_rehearsal_of_an_alert_that_no_rule_has_does_not_pass(rules: Path) -> None:
    rehearsal = rules.with_name("rehearsal.yml")
    rehearsal.write_text(REHEARSAL.replace("EXPECTED", "").replace("Lost", "Last"))
    with pytest.raises(AssertionError, match="Last"):
        rehearse_rules(rehearsal)


def test_metrics_with_an_unfit_name_do_not_pass() -> None:
    good = b"# HELP a_total Some.\n# TYPE a_total counter\na_total 1\n"
    check_metrics(good)
    with pytest.raises(AssertionError, match="_total"):
        check_metrics(good.replace(b"a_total", b"a"))


def test_a_configuration_with_an_unknown_word_does_not_pass(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    file.write_text("scrape_configs: [{job_name: forebay-worker}]\n")
    check_config(file)
    file.write_text("scrape_configs: [{job: forebay-worker}]\n")
    with pytest.raises(AssertionError, match="field job not found"):
        check_config(file)
