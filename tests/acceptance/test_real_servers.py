"""The same commands against RabbitMQ, Redis and Postgres."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.command import Typed, printed


def test_check_brings_real_servers_to_the_point_where_forebay_may_start(
    type_in: Callable[..., Typed],
    tmp_path: Path,
    amqp_url: str,
    redis_url: str,
    postgres_url: str,
) -> None:
    typed = type_in(
        tmp_path,
        FOREBAY_BROKER__URL=amqp_url,
        FOREBAY_REDIS__URL=redis_url,
        FOREBAY_LEDGER__URL=postgres_url,
    )
    first = json.loads(typed("check", "--json").stdout)
    faults = [each["part"] for each in first["findings"] if each["level"] == "fault"]
    assert faults == ["ledger"]
    assert typed("keys", "list", "--json").returncode == 1
    migrated = typed("check", "--migrate", "--json")
    assert migrated.returncode == 0, migrated.stdout
    assert typed("check", "--json").returncode == 0
    created = printed(typed, "keys", "create", "--tenant", "acme", "--scope", "admin")
    (listed,) = printed(typed, "keys", "list")
    assert listed == created["record"]
    assert listed["scope"] == "admin"
