"""A real pgbouncer in front of a Postgres of the tests."""

from __future__ import annotations

import os
import subprocess
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
pool_mode = {mode}
{extra}
"""
# The first that keeps prepared statements apart in the mode `transaction`.
PREPARES_SINCE = (1, 22)


class PgbouncerServer(Server):
    """Pools by transaction where this pgbouncer can with prepared statements, else by session."""

    name: ClassVar[str] = "pgbouncer"
    boot_seconds: ClassVar[float] = 15

    def __init__(self, postgres: PostgresServer, *, user: str, ignores_options: bool) -> None:
        self._postgres = postgres
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
        prepares = _version(program) >= PREPARES_SINCE
        extra = ["max_prepared_statements = 100"] if prepares else []
        if self._ignores_options:
            extra.append("ignore_startup_parameters = options")
        configuration = self.folder / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                port=self.port,
                postgres_port=self._postgres.port,
                user=self._user,
                mode="transaction" if prepares else "session",
                extra="\n".join(extra),
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


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    return tuple(int(word) for word in said.split()[1].split(".")[:2])
