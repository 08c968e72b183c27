"""A real pgbouncer in front of a Postgres of the tests."""

from __future__ import annotations

import os
from typing import ClassVar

import psycopg

from tests.servers.postgres import PostgresServer, unprivileged_user
from tests.servers.process import ChildProcess
from tests.servers.server import Server, find_program

CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={postgres_port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {most}
{extra}
"""


class PgbouncerServer(Server):
    """Pools by transaction, of whatever version it is: two statements may meet two sessions."""

    name: ClassVar[str] = "pgbouncer"
    boot_seconds: ClassVar[float] = 15

    def __init__(
        self, postgres: PostgresServer, *, user: str, ignores_options: bool, most: int = 20
    ) -> None:
        """`most` sessions of Postgres, for each of its databases."""
        self._postgres = postgres
        self._most = most
        self._user = user
        self._ignores_options = ignores_options
        super().__init__()

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        return f"postgresql+psycopg://{self._user}@127.0.0.1:{self.port}/{database}"

    def _prepare(self) -> ChildProcess:
        program = find_program(["pgbouncer"], install="the package pgbouncer")
        extra = "ignore_startup_parameters = options" if self._ignores_options else ""
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                port=self.port,
                postgres_port=self._postgres.port,
                user=self._user,
                extra=extra,
                most=self._most,
            )
        )
        user = unprivileged_user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        return ChildProcess(
            command=[program, str(configuration)],
            log=self.log,
            scratch=self.folder,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
        )

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True
