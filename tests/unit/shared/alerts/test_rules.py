"""The rules in force, and what is said of one that does not parse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shared.alerts.figures.figure_table import figure_table
from shared.alerts.rule import AlertRule
from shared.alerts.rules import rules_of
from shared.clock import SystemClock
from shared.errors import SettingsError
from shared.persistence.engine import open_database
from shared.redis.client import open_redis
from shared.settings import Settings
from shared.settings.loading.load import load_settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.settings.watching.alert_rules import AlertFigure, AlertSeverity
from shared.settings.watching.alert_sinks import AlertSinkKind, AlertSinkSettings
from shared.settings.watching.alerts import AlertSettings
from shared.settings.watching.built_in_alerts import BUILT_IN_RULES


def named(settings: AlertSettings) -> dict[str, AlertRule]:
    return {rule.name: rule for rule in rules_of(settings)}


def test_every_built_in_rule_compares_a_figure_and_says_something() -> None:
    rules = named(AlertSettings())
    assert rules.keys() == BUILT_IN_RULES.keys()
    for rule in rules.values():
        assert (rule.above is None) != (rule.below is None)
        assert rule.summary


def test_settings_change_a_built_in_rule_and_leave_the_rest_of_it() -> None:
    before = named(AlertSettings())["latency"]
    rules = named(AlertSettings(rules={"latency": {"above": 5, "severity": "critical"}}))
    after = rules["latency"]
    assert (after.above, after.severity) == (5, AlertSeverity.CRITICAL)
    assert (after.figure, after.for_seconds) == (before.figure, before.for_seconds)


def test_the_other_bound_takes_the_place_of_the_built_in_one() -> None:
    rule = named(AlertSettings(rules={"latency": {"below": 1}}))["latency"]
    assert (rule.above, rule.below) == (None, 1)


def test_a_rule_that_is_disabled_is_not_there() -> None:
    rules = named(AlertSettings(rules={"latency": {"enabled": False}}))
    assert rules.keys() == BUILT_IN_RULES.keys() - {"latency"}


def test_a_rule_of_ones_own_looks_at_a_named_figure() -> None:
    said = {"figure": "oldest_wait_seconds", "above": 5, "where": {"lane": "interactive"}}
    rule = named(AlertSettings(rules={"mine": said}))["mine"]
    assert rule.figure is AlertFigure.OLDEST_WAIT_SECONDS
    assert rule.takes({"lane": "interactive"})
    assert not rule.takes({"lane": "batch"})
    assert rule.told({"lane": "batch"}, "7 s") == "oldest_wait_seconds of batch is 7 s."


@pytest.mark.parametrize(
    ("name", "said", "finding"),
    [
        ("latency", {"abov": 5}, "alerts.rules.latency.abov is not a key of a rule. Use one of"),
        ("latency", {"above": "x"}, "alerts.rules.latency.above = 'x': Invalid value"),
        ("latency", {"severity": "loud"}, "Use one of: info, warning, critical"),
        ("latency", {"above": float("nan")}, "alerts.rules.latency.above = nan"),
        ("latency", {"above": 1, "below": 2}, "alerts.rules.latency.below is set, and so is"),
        ("latency", {"figure": "error_rate"}, "a built-in rule keeps its own"),
        ("latency", {"for_seconds": -1}, "alerts.rules.latency.for_seconds = -1"),
        ("latency", {"where": {"lane": 3}}, "alerts.rules.latency.where = {'lane': 3}"),
        ("latency", {"where": {"lane": "batch"}}, "where.lane is no label of latency_seconds. Rem"),
        ("batch_waits", {"where": {"lan": "batch"}}, "where.lan is no label of oldest_wait"),
        ("latency", 3, "alerts.rules.latency = 3: is a table"),
        ("latenc", {"above": 3}, "alerts.rules.latenc.figure is missing"),
        ("mine", {"figure": "error_rate"}, "alerts.rules.mine.above is missing"),
        ("mine", {"figure": "moon"}, "alerts.rules.mine.figure = 'moon'"),
        ("A b", {"figure": "error_rate", "above": 1}, "a rule cannot have this name"),
    ],
)
def test_a_rule_that_does_not_parse_is_a_finding_with_rule_key_and_fix(
    name: str, said: Any, finding: str
) -> None:
    settings = AlertSettings(rules={name: said})
    (found,) = settings.faults()
    assert finding in found
    with pytest.raises(SettingsError):
        rules_of(settings)


def test_rules_may_be_set_by_a_variable() -> None:
    settings = load_settings({"FOREBAY_ALERTS__RULES__LATENCY__ABOVE": "3.5"})
    assert named(settings.alerts)["latency"].above == 3.5
    with pytest.raises(SettingsError, match="latency"):
        load_settings({"FOREBAY_ALERTS__RULES__LATENCY__ABOVE": "soon"})


@pytest.mark.parametrize("key", ["above", "window_seconds"])
@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_what_is_no_number_is_named_by_its_rule_and_key(
    tmp_path: Path, key: str, number: str
) -> None:
    file = tmp_path / "forebay.toml"
    file.write_text(f"[alerts.rules.latency]\n{key} = {number}\n")
    with pytest.raises(SettingsError) as raised:
        load_settings({"FOREBAY_CONFIG": str(file)})
    assert f"latency.{key}" in str(raised.value)


async def test_every_figure_that_a_rule_may_name_can_be_read(tmp_path: Path) -> None:
    ledger = LedgerSettings(url=ServerUrl(f"sqlite+aiosqlite:///{tmp_path / 'ledger'}"))
    settings, database = Settings(ledger=ledger), open_database(ledger)
    redis = open_redis(settings.redis)
    assert figure_table(settings, database, redis, SystemClock()).figures == {*AlertFigure}
    await redis.aclose()
    await database.close()


@pytest.mark.parametrize(("allowed", "number"), [(False, 1), (True, 0)])
def test_a_url_without_tls_is_a_fault_unless_the_settings_allow_it(
    allowed: bool, number: int
) -> None:
    url = ServerUrl("http://example.com/alerts")
    sink = AlertSinkSettings(name="chat", kind=AlertSinkKind.SLACK, url=url)
    faults = [*AlertSettings(sinks=(sink,), allow_http=allowed).faults()]
    assert len(faults) == number
    assert all("'chat'" in fault and "alerts.allow_http" in fault for fault in faults)
