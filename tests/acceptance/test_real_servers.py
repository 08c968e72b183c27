"""The same commands against RabbitMQ, Redis and Postgres."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.acceptance.command import forebay


def test_check_brings_real_servers_to_the_point_where_forebay_may_start(
    tmp_path: Path, amqp_url: str, redis_url: str, postgres_url: str
) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return forebay(
            *arguments,
            "--json",
            folder=tmp_path,
            FOREBAY_BROKER__URL=amqp_url,
            FOREBAY_REDIS__URL=redis_url,
            FOREBAY_LEDGER__URL=postgres_url,
        )

    first = json.loads(run("check").stdout)
    faults = [each["part"] for each in first["findings"] if each["level"] == "fault"]
    assert faults == ["ledger"]
    assert run("keys", "list").returncode == 1
    migrated = run("check", "--migrate")
    assert migrated.returncode == 0, migrated.stdout
    assert run("check").returncode == 0
    created = json.loads(run("keys", "create", "--tenant", "acme", "--scope", "admin").stdout)
    (listed,) = json.loads(run("keys", "list").stdout)
    assert listed == created["record"]
    assert listed["scope"] == "admin"
