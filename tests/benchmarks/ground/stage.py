"""The servers of one run, and fresh ground on them for each measurement."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Self

import msgspec

from tests.servers.migrated import migrate
from tests.servers.pgbouncer import PgbouncerServer
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import DATABASES, RedisServer


class Broker(StrEnum):
    RABBITMQ = "RabbitMQ"
    REDIS = "Redis"


class Ledger(StrEnum):
    POSTGRES = "Postgres"
    SQLITE = "SQLite"


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses that nobody else uses: an empty broker, an empty Redis, a migrated ledger."""

    broker: Broker
    broker_url: str
    redis_url: str
    ledger_url: str
    folder: Path
    port: int
    """Free, for the door."""

    def is_served(self) -> bool:
        """Whether a door listens at the port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def environment(self) -> dict[str, str]:
        """Forebay's settings; everything that is not named here is its default."""
        return {
            "FOREBAY_BROKER__URL": self.broker_url,
            "FOREBAY_REDIS__URL": self.redis_url,
            "FOREBAY_LEDGER__URL": self.ledger_url,
            "FOREBAY_INGRESS__PORT": str(self.port),
            **{f"FOREBAY_LIMITS__{limit}": "1000000000" for limit in _LIMITS},
            # A backlog is what some benchmarks measure: nothing is published a second time.
            "FOREBAY_LEDGER__WAKE_AFTER_SECONDS": "600",
        }


_LIMITS = (
    "REQUESTS_PER_MINUTE",
    "TOKENS_PER_MINUTE",
    "USER_REQUESTS_PER_MINUTE",
    "USER_TOKENS_PER_MINUTE",
    "MAX_IN_FLIGHT",
)


class Stage:
    """RabbitMQ with quorum queues, Redis with an append-only file, Postgres with fsync on."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._grounds = count()
        self._databases = self._empty_databases()
        self._pooler: PgbouncerServer | None = None

    def __enter__(self) -> Self:
        self._folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="forebay-bench-"))
        )
        self._rabbitmq = self._stack.enter_context(RabbitServer())
        self._redis = self._stack.enter_context(RedisServer())
        self._postgres = self._stack.enter_context(PostgresServer())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def ground(self, broker: Broker, ledger: Ledger = Ledger.POSTGRES) -> Ground:
        """Fresh ground; what an earlier one left behind is out of sight."""
        ground = self.bare_ground(broker, ledger)
        migrate(ground.ledger_url)
        return ground

    def bare_ground(self, broker: Broker, ledger: Ledger = Ledger.POSTGRES) -> Ground:
        """The same with an empty ledger, for a checkout that makes its own tables."""
        folder = self._new_folder()
        return self._ground(broker, self._ledger_url(ledger, folder), folder)

    def copied_ground(self, broker: Broker, prepared: Ground) -> Ground:
        """Fresh ground whose ledger on Postgres is a copy of that one's, which nobody uses now."""
        template = prepared.ledger_url.rpartition("/")[2]
        database = self._postgres.create_database(template=template)
        return self._ground(broker, self._postgres.database_url(database), self._new_folder())

    def pooler(self) -> PgbouncerServer:
        """A pgbouncer before Postgres, which pools by transaction; begun when first asked for."""
        if self._pooler is None:
            for setting in ("synchronous_commit = on", "plan_cache_mode = force_custom_plan"):
                self._postgres.execute(f"ALTER ROLE forebay SET {setting}")
            self._pooler = self._stack.enter_context(
                PgbouncerServer(self._postgres, user="forebay", ignores_options=True)
            )
        return self._pooler

    def postgres_pids(self) -> list[int]:
        """Postgres' processes as they are now: one for each connection, and a few beside them."""
        return self._postgres.process.family()

    def servers(self) -> dict[str, list[int]]:
        """The processes of each server as they are now."""
        servers = (self._rabbitmq, self._redis, self._postgres)
        return {server.name: server.process.family() for server in servers}

    def server_pids(self) -> list[int]:
        """The processes of all servers as they are now."""
        return [pid for pids in self.servers().values() for pid in pids]

    def _new_folder(self) -> Path:
        folder = self._folder / str(next(self._grounds))
        folder.mkdir()
        return folder

    def _ground(self, broker: Broker, ledger_url: str, folder: Path) -> Ground:
        return Ground(
            broker=broker,
            broker_url=self._broker_url(broker),
            redis_url=next(self._databases),
            ledger_url=ledger_url,
            folder=folder,
            port=free_port(),
        )

    def _broker_url(self, broker: Broker) -> str:
        if broker is Broker.REDIS:
            return next(self._databases)
        return self._rabbitmq.vhost_url(self._rabbitmq.create_vhost())

    def _ledger_url(self, ledger: Ledger, folder: Path) -> str:
        if ledger is Ledger.SQLITE:
            return f"sqlite+aiosqlite:///{folder}/ledger.sqlite3"
        return self._postgres.database_url(self._postgres.create_database())

    def _empty_databases(self) -> Iterator[str]:
        for turn in count():
            number = turn % DATABASES
            self._redis.flush_database(number)
            yield self._redis.database_url(number)
