"""Servers and workers that faults may hit: all of them are this ground's own."""

from __future__ import annotations

from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import Self

import psycopg

from deploy.scripted_provider.behaviour import Kind
from shared.messages.state import TERMINAL
from tests.chaos.door import WIDE_LIMITS, Door
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.stack import SHORT_LEASE, Stack, openai_link
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server

WORKERS = 2
MARK = "question"
_IMPATIENT = {
    "FOREBAY_BROKER__HEARTBEAT_SECONDS": "2",
    "FOREBAY_LEDGER__TIMEOUT_SECONDS": "2",
    "FOREBAY_INGRESS__LEDGER_TIMEOUT_SECONDS": "1",
}
"""Its servers are killed and frozen all the time."""

# A witness of every change of state, written in the same transaction by the database itself.
_WITNESS = """
CREATE TABLE transition (message_id text, before text, after text);
CREATE FUNCTION witness() RETURNS trigger AS $$
BEGIN
  INSERT INTO transition VALUES (NEW.id, OLD.state, NEW.state);
  RETURN NULL;
END $$ LANGUAGE plpgsql;
CREATE TRIGGER witness AFTER UPDATE ON message FOR EACH ROW
WHEN (OLD.state <> NEW.state OR OLD.state IN ({terminal})
      AND (OLD.output_text, OLD.finished_at) IS DISTINCT FROM (NEW.output_text, NEW.finished_at))
EXECUTE FUNCTION witness();
"""


def witness(url: str) -> None:
    """Has that database write every change of a message's state into `transition`."""
    terminal = ", ".join(f"'{state}'" for state in sorted(TERMINAL))
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(_WITNESS.format(terminal=terminal).encode())


class Broker(StrEnum):
    RABBITMQ = "rabbitmq"
    REDIS = "redis"


class Ground:
    """A broker, Redis, Postgres, a provider that takes its time, the door and two workers.

    Where Redis is the broker it is the same server that holds replies, so that flushing it
    takes both. `rabbitmq` is a running one to be used in the place of its own.
    """

    def __init__(
        self,
        broker: Broker,
        folder: Path,
        *,
        rabbitmq: RabbitServer | None = None,
        provider_seconds: float = 0.4,
    ) -> None:
        self._stack = ExitStack()
        self.postgres = PostgresServer()
        self.redis = RedisServer()
        self._lent = rabbitmq
        is_rabbitmq = broker is Broker.RABBITMQ
        self.broker: Server = (rabbitmq or RabbitServer()) if is_rabbitmq else self.redis
        self.provider = ProviderThread()
        self._provider_seconds = provider_seconds
        self._folder = folder
        self.workers: list[AgentWorker] = []

    def __enter__(self) -> Self:
        for server in dict.fromkeys((self.broker, self.redis, self.postgres)):
            if server is not self._lent:
                self._stack.enter_context(server)
        self._stack.enter_context(self.provider)
        self.provider.behave(Kind.LATENCY, contains=MARK, seconds=self._provider_seconds)
        self._database = self.postgres.create_database()
        migrate(self.postgres.database_url(self._database))
        witness(self.postgres.database_url(self._database))
        self.stack = Stack(
            broker_url=self._broker_url(),
            redis_url=self.redis.database_url(1),
            ledger_url=self.postgres.database_url(self._database),
            providers=[openai_link(self.provider.url)],
            extra=WIDE_LIMITS | SHORT_LEASE | _IMPATIENT,
        )
        self.door, self.workers = self._door_and_workers()
        self._stack.callback(self.door.kill)
        self.door.start()
        for worker in self.workers:
            self._stack.callback(worker.kill)
            worker.start(ready=False)
        for worker in self.workers:
            worker.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _door_and_workers(self) -> tuple[Door, list[AgentWorker]]:
        door = Door(self.stack, self._folder)
        return door, [AgentWorker(self.stack, self._folder, hasty=True) for _ in range(WORKERS)]

    def _broker_url(self) -> str:
        if not isinstance(self.broker, RabbitServer):
            return self.broker.url
        vhost = self.broker.create_vhost()
        self._stack.callback(self.broker.delete_vhost, vhost)
        return self.broker.vhost_url(vhost)

    def busiest_worker(self) -> AgentWorker:
        """The worker with most turns under way, for it has most to lose."""
        return self._worker_of(
            "SELECT split_part(claimed_by, ':', 2)::int FROM message WHERE state = 'in_progress' "
            "GROUP BY 1 ORDER BY count(*) DESC"
        )

    def leading_worker(self, role: str) -> AgentWorker:
        """The worker that does this one's rounds, whatever version of them."""
        return self._worker_of(
            "SELECT split_part(holder, ':', 2)::int FROM role_lease "
            f"WHERE split_part(role, '/', 1) = '{role}' ORDER BY role DESC"
        )

    def _worker_of(self, pids_first: str) -> AgentWorker:
        with self.query() as connection:
            pids = [row[0] for row in connection.execute(pids_first.encode())]
        by_pid = {worker.pid: worker for worker in self.workers if worker.is_running}
        return next((by_pid[pid] for pid in pids if pid in by_pid), self.workers[0])

    def log_tail(self, characters: int = 6000) -> str:
        """The end of what the workers wrote, for the report of a failed test."""
        return "\n----\n".join(worker.log[-characters:] for worker in self.workers)

    def query(self) -> psycopg.Connection:
        """A fresh connection to the ledger, past all of the product's code."""
        url = self.postgres.database_url(self._database).replace("+psycopg", "")
        return psycopg.connect(url, autocommit=True, connect_timeout=60)
