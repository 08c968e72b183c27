"""docker-compose.yml means what it promises, checked without an engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest

from shared.settings import load_settings
from tests.unit.deploy.compose.compose_file import ROOT, example_environment, load_compose

COMPOSE = load_compose(example_environment())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
ONE_SHOT = {"migrations"}


def test_the_file_follows_the_compose_specification() -> None:
    # github.com/compose-spec/compose-spec at 170098ba, unchanged.
    schema = json.loads(Path(__file__).with_name("compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(COMPOSE)


def test_every_server_and_every_role_has_its_service() -> None:
    servers = {"rabbitmq", "redis", "postgres", "qdrant", "meilisearch"}
    roles = {"ingress", "workers", "indexer", "flower", "migrations"}
    assert set(SERVICES) == servers | roles | {"second-ingress", "proxy"}


def test_only_the_door_and_the_proxy_publish_a_port_to_the_world() -> None:
    published = {name: ports for name, each in SERVICES.items() if (ports := each.get("ports"))}
    assert published == {
        "ingress": ["8080:8080"],
        "proxy": ["8000:8000"],
        "flower": ["127.0.0.1:5555:5555"],
    }


def test_the_proxy_knows_both_doors_and_what_is_to_be_said_to_it() -> None:
    proxy = SERVICES["proxy"]
    file = ROOT / COMPOSE["configs"][proxy["configs"][0]["source"]]["file"]
    understood = re.findall(r"^\s+presetenv (\w+)", file.read_text(), re.MULTILINE)
    assert set(proxy["environment"]) <= set(understood)
    doors = {each.partition(":")[0] for each in proxy["environment"].values()}
    assert doors == set(proxy["depends_on"]) == {"ingress", "second-ingress"}
    assert all("door" in SERVICES[each]["networks"] for each in (*doors, "proxy"))
    assert SERVICES["second-ingress"]["profiles"] == proxy["profiles"]


def test_the_servers_have_no_way_out() -> None:
    assert COMPOSE["networks"]["servers"] == {"internal": True}
    for name in set(SERVICES) - set(OURS) - {"proxy"}:
        assert SERVICES[name]["networks"] == ["servers"]
    assert SERVICES["proxy"]["networks"] == ["door"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_only_for_what_can_say_that_it_is_ready(name: str) -> None:
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        finished = wait["condition"] == "service_completed_successfully"
        assert finished == (other in ONE_SHOT)
        assert finished or "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_SHOT - {"indexer"}))
def test_a_service_that_stays_up_is_watched_and_restarted(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_bounded_and_gets_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}
    assert "no-new-privileges:true" in service["security_opt"]
    assert name in ONE_SHOT or _seconds(service["stop_grace_period"]) >= 10


def test_workers_and_door_outlast_their_own_shutdown() -> None:
    ingress, workers = SERVICES["ingress"], SERVICES["workers"]
    ways = ("NOTICE", "DRAIN")
    drain = sum(float(ingress["environment"][f"FOREBAY_INGRESS__{way}_SECONDS"]) for way in ways)
    soft = float(workers["environment"]["FOREBAY_WORKER__SOFT_SHUTDOWN_SECONDS"])
    assert _seconds(ingress["stop_grace_period"]) > drain
    assert _seconds(workers["stop_grace_period"]) >= soft + 15


@pytest.mark.parametrize("name", OURS)
def test_our_settings_are_understood_and_point_at_services(name: str) -> None:
    environment = SERVICES[name]["environment"]
    ours = {key: value for key, value in environment.items() if key.startswith("FOREBAY_")}
    settings = load_settings(
        {**ours, "FOREBAY_CONFIG": str(ROOT / COMPOSE["configs"]["forebay"]["file"])}
    )
    for url in (settings.broker.url, settings.redis.url, settings.ledger.url):
        host = re.search(r"@([\w.-]+):\d+", url)
        assert host
        assert host[1] in SERVICES
        assert "servers" in SERVICES[name]["networks"]
    for server in (settings.index.qdrant, settings.index.meilisearch):
        assert urlsplit(server.url).hostname in SERVICES
        assert environment[str(server.api_key_env)]


@pytest.mark.parametrize("name", OURS)
def test_a_command_exists(name: str) -> None:
    program, *rest = SERVICES[name]["command"]
    if program == "forebay":
        assert _verb_exists(rest[0])
    elif program == "python":
        assert (ROOT / rest[1] / "__main__.py").exists()
    else:
        app = rest[0].removeprefix("--app=").replace(".", "/")
        assert (ROOT / app).with_suffix(".py").exists()


def test_every_volume_and_network_is_declared_and_used() -> None:
    volumes = {
        volume.partition(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
    }
    networks = {network for service in SERVICES.values() for network in service["networks"]}
    assert volumes == set(COMPOSE["volumes"])
    assert networks == set(COMPOSE["networks"])


def test_every_password_must_be_chosen_before_the_first_start() -> None:
    example = example_environment()
    passwords = [name for name in example if name.endswith("_PASSWORD")]
    assert passwords
    for name in passwords:
        assert example[name] == "CHANGE-ME"
        with pytest.raises(KeyError, match=name):
            load_compose({**example, name: ""})


def test_our_image_runs_as_nobody_in_particular() -> None:
    dockerfile = (ROOT / "deploy/docker/Dockerfile").read_text()
    assert re.findall(r"^USER (.+)$", dockerfile, flags=re.MULTILINE)[-1] == "10001"
    for name in OURS:
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_no_server_is_left_running_as_root_by_a_shell_of_ours() -> None:
    for name in set(SERVICES) - set(OURS):
        assert "command" not in SERVICES[name] or "user" in SERVICES[name]


def test_flower_wants_a_login_and_only_looks() -> None:
    flower = SERVICES["flower"]
    assert "--read-only=true" in flower["command"]
    assert ":" in flower["environment"]["FLOWER_BASIC_AUTH"]


def _seconds(duration: str) -> float:
    return float(duration.removesuffix("s"))


def _verb_exists(verb: str) -> bool:
    """Whether `forebay VERB --help` is answered."""
    if not (ROOT / "deploy/cli/__main__.py").exists():
        pytest.skip("deploy.cli does not exist yet")
    asked = [sys.executable, "-m", "deploy.cli", verb, "--help"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True).returncode == 0
