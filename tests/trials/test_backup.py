"""Backup and restore as docs/operating.md says: what was before is there, what came after not."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.acceptance.command import eventually
from tests.chaos.door import Door
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer


class Site:
    """Servers, a door and a worker, of which the last two can be stopped and started."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.door = Door(stack, folder).start()
        self.worker = AgentWorker(stack, folder).start()

    def stop(self) -> None:
        self.worker.kill()
        self.door.kill()

    def start(self) -> None:
        self.worker.replace()
        self.door.replace()

    def post(self, text: str, **body: object) -> dict[str, Any]:
        """The response, under an idempotency key of its text."""
        headers = self._login | {"Idempotency-Key": text}
        answer = httpx2.post(
            self.door.url, headers=headers, json={"input": text, **body}, timeout=30
        )
        answer.raise_for_status()
        return dict(answer.json())

    def status(self, response: dict[str, Any]) -> str:
        """How the message stands; the HTTP status where there is none."""
        answer = httpx2.get(f"{self.door.url}/{response['id']}", headers=self._login)
        return (
            str(answer.json()["status"]) if answer.status_code == 200 else str(answer.status_code)
        )

    @property
    def _login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.door.key}"}


@pytest.fixture
def database(own_postgres: PostgresServer) -> str:
    name = own_postgres.create_database()
    migrate(own_postgres.database_url(name))
    return own_postgres.database_url(name)


@pytest.fixture
def site(database: str, amqp_url: str, own_redis: RedisServer, tmp_path: Path) -> Iterator[Site]:
    with ProviderThread() as provider:
        stack = Stack(
            broker_url=amqp_url,
            redis_url=own_redis.database_url(0),
            ledger_url=database,
            providers=[openai_link(provider.url)],
        )
        opened = Site(stack, tmp_path)
        yield opened
        opened.stop()


def test_a_ledger_is_dumped_while_it_runs_and_restored(
    site: Site, database: str, own_redis: RedisServer, tmp_path: Path
) -> None:
    address, dump = database.replace("+psycopg", ""), str(tmp_path / "ledger.dump")
    before = site.post("before")
    site.worker.kill()
    waiting = site.post("waiting", background=True)
    _run("pg_dump", "--format=custom", f"--file={dump}", address)
    site.worker.replace()
    assert eventually(lambda: site.status(waiting) == "completed")
    after = site.post("after")

    site.stop()
    _run("pg_restore", "--clean", "--if-exists", f"--dbname={address}", dump)
    own_redis.command("FLUSHALL")
    site.start()

    assert site.status(before) == "completed"
    assert site.status(after) == "404"
    assert eventually(lambda: site.status(waiting) == "completed")
    assert site.post("before")["id"] == before["id"]
    again = site.post("after")
    assert again["id"] != after["id"]
    assert site.status(again) == "completed"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=60)
