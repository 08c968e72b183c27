"""Prometheus, the real one, takes what we tell it and what we ship for it."""

from __future__ import annotations

import json
import math
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.telemetry.instruments import INSTRUMENTS
from tests.architecture.tree import ROOT
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.scraping.traffic import Traffic
from tests.servers.prometheus import CONFIGURATION, RULES, PrometheusServer
from tests.servers.promtool import check_config, check_metrics, needs_prometheus

GRAFANA = ROOT / "deploy" / "grafana"
JOBS = ("forebay-door", "forebay-worker", "forebay-indexer")
WINDOW = "30s"
"""For Grafana's $__rate_interval: four scrapes at least."""
NOTHING_YET_SECONDS = 30


def panels(dashboard: Path) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(dashboard.read_text())["panels"]
    return told


def queries() -> Iterator[Any]:
    for dashboard in sorted((GRAFANA / "dashboards").glob("*.json")):
        for panel in panels(dashboard):
            for target in panel["targets"]:
                name = f"{dashboard.stem}: {panel['title']} {target['refId']}"
                yield pytest.param(target["expr"], id=name)


@needs_prometheus
@pytest.mark.parametrize("job", JOBS)
def test_what_each_process_tells_is_well_formed(
    job: str, door: RunningDoor, ports: dict[str, int], traffic: Traffic
) -> None:
    port = {"forebay-door": door.port, **ports}[job]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        text = answer.read()
    check_metrics(text)
    assert b"_created" not in text
    assert text.count(b"# TYPE forebay_") == len(INSTRUMENTS)


@needs_prometheus
def test_all_three_are_scraped_as_jobs_of_their_own(prometheus: PrometheusServer) -> None:
    up = {each["metric"]["job"]: each["value"][1] for each in prometheus.query("up")}
    assert up == dict.fromkeys(JOBS, "1")
    ended = prometheus.query('forebay_turn_duration_seconds_count{job="forebay-worker"}')
    assert {each["metric"]["state"] for each in ended} == {"completed", "failed"}
    reasons = prometheus.query('increase(forebay_dead_letters_total{job="forebay-worker"}[1m]) > 0')
    assert [each["metric"]["reason"] for each in reasons] == ["chain_exhausted"]


@needs_prometheus
@pytest.mark.parametrize("expression", [*queries()])
def test_every_query_of_the_dashboards_gives_something(
    expression: str, prometheus: PrometheusServer
) -> None:
    asked = expression.replace("$__rate_interval", WINDOW)
    assert "$" not in asked
    until = time.monotonic() + NOTHING_YET_SECONDS  # what the clock tells may not be there yet
    while not (found := _numbers(prometheus.query(asked))):
        assert time.monotonic() < until, asked
        time.sleep(0.5)
    assert all(number >= 0 for number in found)


def _numbers(series: list[dict[str, Any]]) -> list[float]:
    values = [float(each["value"][1]) for each in series]
    return [value for value in values if not math.isnan(value)]


@needs_prometheus
def test_every_alert_can_be_evaluated_over_what_we_tell(prometheus: PrometheusServer) -> None:
    until = time.monotonic() + NOTHING_YET_SECONDS
    rules = prometheus.rules()
    while any(rule["health"] == "unknown" for rule in rules):  # not evaluated yet
        assert time.monotonic() < until, rules
        time.sleep(0.5)
        rules = prometheus.rules()
    assert len(rules) == RULES.read_text().count("- alert:")
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


@needs_prometheus
def test_the_configuration_can_be_read_with_and_without_a_key(tmp_path: Path) -> None:
    check_config(CONFIGURATION)
    key = tmp_path / "admin-key"
    key.write_text("fb_example")
    text = CONFIGURATION.read_text().replace("    # authorization:", "    authorization:")
    line = "    #   credentials_file: /etc/prometheus/forebay-admin-key"
    assert line in text
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace(line, f"      credentials_file: {key}"))
    (tmp_path / RULES.name).write_text(RULES.read_text())
    check_config(file)


def test_panels_have_places_of_their_own_and_ask_the_source_that_is_chosen() -> None:
    dashboards = sorted((GRAFANA / "dashboards").glob("*.json"))
    uids = [json.loads(each.read_text())["uid"] for each in dashboards]
    assert len(uids) == len(set(uids)) == 4
    for dashboard in dashboards:
        shown = panels(dashboard)
        places = [(each["gridPos"]["x"], each["gridPos"]["y"]) for each in shown]
        assert len(places) == len(set(places))
        assert {each["datasource"]["uid"] for each in shown} == {"${datasource}"}
        assert all(each["title"] and each["targets"] for each in shown)


def test_no_dashboard_asks_by_tenant_or_user() -> None:
    for dashboard in (GRAFANA / "dashboards").glob("*.json"):
        for panel in panels(dashboard):
            assert not [each for each in panel["targets"] if "tenant" in each["expr"]]


def test_grafana_is_told_of_them_and_of_the_source_in_its_own_words() -> None:
    (provider,) = yaml.safe_load((GRAFANA / "dashboards.yml").read_text())["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"]
    (source,) = yaml.safe_load((GRAFANA / "datasources.yml").read_text())["datasources"]
    assert source["type"] == "prometheus"
    scraped = yaml.safe_load(CONFIGURATION.read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == scraped
