"""The plan of one run: what commands beside it are told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import yaml

from deploy.embedded.chain import chain_behind
from deploy.embedded.files.credentials import Credentials
from deploy.embedded.files.folder import StackFolder
from deploy.embedded.metrics_ports import usable_ports, wanted_ports
from deploy.embedded.plan import plan_run
from shared.settings import Settings, load_settings
from shared.settings.loading.secrets import with_pseudonym_key
from tests.architecture.tree import ROOT

WORKERS = ("worker-1", "worker-2", "worker-3")
CREDENTIALS = Credentials(redis_password="r", flower_password="f")


def test_commands_beside_a_stack_know_the_chain_that_it_was_started_with(tmp_path: Path) -> None:
    named = chain_behind(
        {
            "name": "model",
            "kind": "openai_compatible",
            "base_url": "http://127.0.0.1:9/v1",
            "model": "m",
        }
    )
    plan = plan_run(StackFolder(tmp_path), CREDENTIALS, named)
    told = load_settings(plan.overlay)
    assert [each.name for each in told.providers] == ["model", "rules", "handoff"]
    assert told.providers == plan.settings.providers


def _pseudonym_key(tmp_path: Path, **environment: str) -> str:
    plan = plan_run(StackFolder(tmp_path), CREDENTIALS, environment)
    key = with_pseudonym_key(plan.settings.telemetry, plan.environment).pseudonym_key
    assert key is not None
    return key.reveal()


def test_a_key_of_pseudonyms_is_made_where_the_settings_name_none(tmp_path: Path) -> None:
    made = _pseudonym_key(tmp_path)
    assert len(made) == 64
    assert _pseudonym_key(tmp_path) == made
    file = tmp_path / "key"
    file.write_text("of a file")
    variable = "FOREBAY_TELEMETRY__PSEUDONYM_KEY_ENV"
    assert _pseudonym_key(tmp_path, **{variable: "MINE", "MINE": "my own"}) == "my own"
    of_file = {"FOREBAY_TELEMETRY__PSEUDONYM_KEY_FILE": str(file)}
    assert _pseudonym_key(tmp_path, **of_file) == "of a file"


def test_what_prometheus_is_shipped_with_is_where_a_stack_tells_its_metrics() -> None:
    settings = Settings()
    shipped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    targets = {
        each["job_name"]: each["static_configs"][0]["targets"] for each in shipped["scrape_configs"]
    }
    ports = {"forebay-door": settings.ingress.port}
    ports |= {
        f"forebay-{name.partition('-')[0]}": port for name, port in wanted_ports(settings).items()
    }
    assert targets == {job: [f"127.0.0.1:{port}"] for job, port in ports.items()}


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, {"worker-1": 9101, "indexer": 9102, "worker-2": 9103, "worker-3": 9104}),
        ({"EMBEDDED__METRICS": "false"}, {}),
        ({"EMBEDDED__METRICS_PORT": "0"}, dict.fromkeys(WORKERS, 0) | {"indexer": 0}),
        (
            {"WORKER__METRICS_PORT": "7000", "INDEX__METRICS_PORT": "7001"},
            {"worker-1": 7000, "indexer": 7001, "worker-2": 9103, "worker-3": 9104},
        ),
        ({"EMBEDDED__INDEXER": "false"}, {"worker-1": 9101, "worker-2": 9103, "worker-3": 9104}),
    ],
)
def test_each_process_of_a_stack_has_a_port_of_its_own_for_its_metrics(
    more: dict[str, str], wanted: dict[str, int]
) -> None:
    said = {"FOREBAY_EMBEDDED__WORKERS": "3"} | {f"FOREBAY_{k}": v for k, v in more.items()}
    assert wanted_ports(load_settings(said)) == wanted


def test_a_port_that_is_taken_is_replaced_and_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = {
            "FOREBAY_EMBEDDED__METRICS_PORT": str(port),
            "FOREBAY_EMBEDDED__FLOWER": "false",
            "FOREBAY_INGRESS__PORT": "0",
        }
        plan = plan_run(StackFolder(tmp_path), CREDENTIALS, said)
    assert plan.metrics_ports["worker-1"] not in {port, 0}
    assert f"Port {port} is taken: /metrics of worker-1 is at" in plan.notices[0]


def test_ports_that_are_free_are_given_once() -> None:
    found = usable_ports({f"worker-{number}": 0 for number in range(50)})
    assert len({*found.values()}) == 50
