"""A real Postgres for tests."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import uuid
from pathlib import Path
from typing import ClassVar

import psycopg

from tests.servers.authority import Authority
from tests.servers.process import ChildProcess
from tests.servers.server import Server, find_program

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "32MB",
    # In its folder, which goes with it also when it is killed.
    "dynamic_shared_memory_type": "mmap",
    "max_wal_size": "256MB",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


class PostgresServer(Server):
    """Durable as production is (fsync on), small in memory, run by an unprivileged user."""

    name: ClassVar[str] = "postgres"
    boot_seconds: ClassVar[float] = 30
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT
    empty: ClassVar[Path | None] = None
    """What initdb made for a server of this process: copied while that one has not been closed."""

    def __init__(self, *, encrypted: bool = False, **settings: str) -> None:
        """`encrypted` also answers over TLS, with a certificate that is signed by `tls`.

        `settings` are Postgres' own, such as `max_connections`.
        """
        self._encrypted = encrypted
        self._settings = settings
        super().__init__()

    @property
    def url(self) -> str:
        return self.database_url("postgres")

    def database_url(self, database: str) -> str:
        """The same server, another of its databases, in SQLAlchemy's words."""
        return f"postgresql+psycopg://forebay@127.0.0.1:{self.port}/{database}"

    def create_database(self, *, template: str = "template1") -> str:
        """The name of a new database, a copy of `template`."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Removes it, with whatever connections it still has."""
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def execute(self, statement: str) -> None:
        """One statement on the maintenance database, outside any transaction."""
        self.execute_in("postgres", statement)

    def execute_in(self, database: str, statement: str) -> None:
        """The same on another of its databases."""
        with psycopg.connect(self._conninfo(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _prepare(self) -> ChildProcess:
        user = unprivileged_user()
        data = self.folder / "data"
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._make_cluster(data, user)
        command = [postgres_program("postgres"), "-D", str(data), "-p", str(self.port)]
        settings = SETTINGS | {"unix_socket_directories": str(self.folder)} | self._settings
        if self._encrypted:
            settings |= self._encryption(user)
        for setting, value in settings.items():
            command += ["-c", f"{setting}={value}"]
        return ChildProcess(
            command=command,
            log=self.log,
            scratch=self.folder,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
        )

    def _make_cluster(self, data: Path, user: pwd.struct_passwd | None) -> None:
        """Copies what initdb makes, which takes longer."""
        if PostgresServer.empty is None or not PostgresServer.empty.exists():
            PostgresServer.empty = self.folder / "empty"
            self._initialise(PostgresServer.empty, user)
        subprocess.run(["cp", "-pR", str(PostgresServer.empty), str(data)], check=True)

    def _initialise(self, data: Path, user: pwd.struct_passwd | None) -> None:
        initdb = [postgres_program("initdb"), "-D", str(data), "-U", "forebay", "--auth=trust"]
        finished = subprocess.run(
            [*initdb, "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions"],
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, f"initdb failed:\n{finished.stdout}{finished.stderr}"

    def _encryption(self, user: pwd.struct_passwd | None) -> dict[str, str]:
        self.tls = Authority(self.folder / "tls")
        certificate = self.tls.issue("server")
        if user is not None:
            os.chown(certificate.key_file, user.pw_uid, user.pw_gid)
        return {
            "ssl": "on",
            "ssl_ca_file": str(self.tls.ca_file),
            "ssl_cert_file": str(certificate.certificate_file),
            "ssl_key_file": str(certificate.key_file),
        }

    def _is_ready(self) -> bool:
        try:
            psycopg.connect(self._conninfo(seconds=2)).close()
        except psycopg.OperationalError:
            return False
        return True

    def _conninfo(self, database: str = "postgres", *, seconds: int = 60) -> str:
        return (
            f"host=127.0.0.1 port={self.port} user=forebay dbname={database}"
            f" connect_timeout={seconds} sslmode=disable"
        )


def postgres_program(name: str) -> str:
    """From Debian's versioned folders, newest first, or from the PATH."""
    versioned = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    newest_first = sorted(versioned, key=lambda path: float(path.parent.parent.name), reverse=True)
    return find_program([*newest_first, name], install="the package postgresql")


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom root becomes, since Postgres refuses root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("Postgres refuses root and there is no user postgres or nobody to become")
