"""A real Redis (or Valkey) for tests."""

from __future__ import annotations

import socket
from typing import ClassVar

from tests.servers.authority import Authority
from tests.servers.ports import free_port
from tests.servers.process import ChildProcess
from tests.servers.server import Server, find_program

DATABASES = 64


class RedisServer(Server):
    """Persists every write (append-only file, fsync each second), as production does."""

    name: ClassVar[str] = "redis"
    boot_seconds: ClassVar[float] = 60

    def __init__(self, *, encrypted: bool = False, cluster: bool = False) -> None:
        """`encrypted` opens a second port, `tls_url`, whose certificate is signed by `tls`.

        `cluster` makes it a node of one, without others.
        """
        self._encrypted = encrypted
        self._cluster = cluster
        super().__init__()

    @property
    def tls_url(self) -> str:
        return f"rediss://127.0.0.1:{self.tls_port}/0"

    @property
    def url(self) -> str:
        return self.database_url(0)

    def database_url(self, number: int) -> str:
        """The same server, another of its databases (0 to 63)."""
        return f"redis://127.0.0.1:{self.port}/{number}"

    def flush_database(self, number: int) -> None:
        """Empties one database; keys of the others stay."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(f"SELECT {number}\r\nFLUSHDB SYNC\r\n".encode())
            replies = connection.makefile("rb")
            assert [replies.readline(), replies.readline()] == [b"+OK\r\n"] * 2

    def command(self, *words: str) -> bytes:
        """One command on database 0, its raw reply: for waiting, flushing, looking inside."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            connection.sendall(request.encode())
            return connection.recv(65536)

    def _prepare(self) -> ChildProcess:
        program = find_program(
            ["valkey-server", "redis-server"], install="the package redis-server"
        )
        options: dict[str, object] = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "databases": DATABASES,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
        }
        if self._cluster:
            # Its own choice, 10,000 above the port, may be one that the kernel gave to a client.
            options |= {"cluster-enabled": "yes", "cluster-port": str(free_port())}
        if self._encrypted:
            options |= self._encryption()
        command = [program]
        for option, value in options.items():
            command += [f"--{option}", str(value)]
        return ChildProcess(command=command, log=self.log, scratch=self.folder)

    def _encryption(self) -> dict[str, object]:
        self.tls, self.tls_port = Authority(self.folder / "tls"), free_port()
        certificate = self.tls.issue("server")
        return {
            "tls-port": self.tls_port,
            "tls-ca-cert-file": self.tls.ca_file,
            "tls-cert-file": certificate.certificate_file,
            "tls-key-file": certificate.key_file,
            "tls-auth-clients": "optional",
        }

    def _is_ready(self) -> bool:
        try:
            return self.command("PING").startswith(b"+PONG")
        except OSError:
            return False
