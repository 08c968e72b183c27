"""Whoever asks no provider needs no provider's key."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.cli.__main__ import DONE, run
from tests.acceptance.command import clean_environment
from tests.servers.said_line import said_line

PROVIDER = {"name": "a", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "model": "m"}
SOURCE = {"name": "bank", "kind": "sql", "query": "SELECT 1", "url_env": "NO_BANK"}


@pytest.fixture
def environment(migrated_sqlite_url: str) -> dict[str, str]:
    """A chain and a fact source whose secrets are set nowhere."""
    return {
        "FOREBAY_LEDGER__URL": migrated_sqlite_url,
        "FOREBAY_BROKER__URL": "redis://127.0.0.1:9/0",
        "FOREBAY_REDIS__URL": "redis://127.0.0.1:9/1",
        "FOREBAY_INGRESS__PORT": "0",
        "FOREBAY_PROVIDERS": json.dumps([PROVIDER | {"api_key_env": "NO_SUCH_KEY"}]),
        "FOREBAY_FACTS__SOURCES": json.dumps([SOURCE]),
    }


@pytest.fixture
def shell(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def door(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ingress"],
        cwd=tmp_path,
        env=clean_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    yield process
    process.kill()
    process.communicate(timeout=60)


@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", "--tenant", "acme"],
        ["handoff", "list"],
        ["dead", "list"],
        ["costs"],
        ["route", "explain", "hello"],
    ],
    ids=" ".join,
)
def test_a_command_that_asks_no_provider_needs_no_key(arguments: list[str]) -> None:
    assert run(arguments) == DONE


@pytest.mark.usefixtures("shell")
def test_check_names_a_key_that_only_workers_need_and_no_fault_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["check", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    named = {each["sentence"]: each["level"] for each in findings if each["part"] == "secrets"}
    assert set(named.values()) == {"hint"}
    assert ["$NO_SUCH_KEY" in " ".join(named), "$NO_BANK" in " ".join(named)] == [True, True]


def test_the_door_opens_without_the_keys_of_providers(door: subprocess.Popen[str]) -> None:
    said_line(door, "Forebay listens")


def test_a_worker_without_its_keys_says_so_and_does_not_start(
    environment: dict[str, str], tmp_path: Path
) -> None:
    worker = subprocess.run(
        [sys.executable, "-m", "workers"],
        cwd=tmp_path,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert worker.returncode == 78
    assert "$NO_SUCH_KEY" in worker.stderr


def test_flower_and_celerys_commands_read_the_workers_app_without_any_key(
    environment: dict[str, str], tmp_path: Path
) -> None:
    imported = subprocess.run(
        [sys.executable, "-c", "import workers.app"],
        cwd=tmp_path,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert imported.returncode == 0, imported.stderr
