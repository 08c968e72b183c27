"""A real RabbitMQ for tests."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, unquote, urlsplit

from tests.servers.authority import Authority
from tests.servers.ports import free_port
from tests.servers.process import ChildProcess
from tests.servers.server import Server, find_program

CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
raft.wal_max_size_bytes = 33554432
heartbeat = 10
log.file.level = warning
log.console = false
"""
ENCRYPTION = """\
listeners.ssl.1 = 127.0.0.1:{tls_port}
ssl_options.cacertfile = {tls.ca_file}
ssl_options.certfile = {certificate.certificate_file}
ssl_options.keyfile = {certificate.key_file}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
"""

# What a queue tells of itself by other ways leaves out what is delivered, or is seconds old.
UNSETTLED = """\
{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"{vhost}">>, queue, <<"{queue}">>)), \
case amqqueue:get_type(Q) of \
rabbit_quorum_queue -> {{ok, {{_, N}}, _}} = \
ra:leader_query(amqqueue:get_pid(Q), fun rabbit_fifo:query_messages_total/1), N; \
_ -> [{{messages, N}}] = rabbit_amqqueue:info(Q, [messages]), N end."""

# One scheduler of each kind and no spinning: several nodes and the tests share a few cores.
SMALL_MACHINE = "+S 1:1 +SDcpu 1:1 +SDio 1 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none"


class RabbitServer(Server):
    """One node with a port mapper of its own, so that nodes of other tests never meet."""

    name: ClassVar[str] = "rabbitmq"
    boot_seconds: ClassVar[float] = 180

    def __init__(self, *, encrypted: bool = False, configuration: str = "") -> None:
        """`encrypted` opens a second port, `tls_url`, whose certificate is signed by `tls`.

        `configuration` are further lines of rabbitmq.conf.
        """
        self._encrypted = encrypted
        self._configuration = configuration
        super().__init__()

    @property
    def url(self) -> str:
        return self.vhost_url("/")

    def vhost_url(self, vhost: str) -> str:
        """The same node, another of its virtual hosts, as user guest."""
        path = "/" if vhost == "/" else quote(vhost, safe="")
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{path}"

    @property
    def tls_url(self) -> str:
        """The same node, encrypted."""
        return f"amqps://guest:guest@127.0.0.1:{self.tls_port}//"

    def create_vhost(self) -> str:
        """The name of a new virtual host that guest may use."""
        name = f"test-{uuid.uuid4().hex}"
        self.evaluate(f'rabbit_vhost:add(<<"{name}">>, <<"test">>).')
        self.grant("guest", name, configure=".*", write=".*", read=".*")
        return name

    def delete_vhost(self, name: str) -> None:
        """Removes it with its queues and connections, some time after this returns."""
        self.evaluate(f'spawn(fun() -> rabbit_vhost:delete(<<"{name}">>, <<"test">>) end).')

    def create_user(self, name: str) -> None:
        """A user whose password is its name and that may do nothing yet."""
        words = f'<<"{name}">>, <<"{name}">>, <<"test">>'
        self.evaluate(f"rabbit_auth_backend_internal:add_user({words}).")

    def grant(self, user: str, vhost: str, *, configure: str, write: str, read: str) -> None:
        """Three patterns of names, as `rabbitmqctl set_permissions` takes them."""
        patterns = ", ".join(f"<<{_erlang(each)}>>" for each in (configure, write, read))
        words = f'<<"{user}">>, <<{_erlang(vhost)}>>, {patterns}, <<"test">>'
        self.evaluate(f"rabbit_auth_backend_internal:set_permissions({words}).")

    def delete_user(self, name: str) -> None:
        self.evaluate(f'rabbit_auth_backend_internal:delete_user(<<"{name}">>, <<"test">>).')

    def unsettled(self, url: str, queue: str) -> int:
        """How many lie in a queue of a virtual host or are out of it and not acknowledged."""
        vhost = unquote(urlsplit(url).path[1:])
        return int(self.evaluate(UNSETTLED.format(vhost=vhost, queue=queue)))

    def evaluate(self, expression: str) -> str:
        """What one Erlang expression, with its full stop, returns inside the node.

        Raises AssertionError with the reason when it fails.
        """
        with socket.create_connection(("127.0.0.1", self.console_port), timeout=60) as connection:
            connection.sendall(expression.encode() + b"\n")
            answer = connection.makefile().read().strip()
        assert answer.startswith("{ok,"), f"{expression} failed: {answer}"
        return answer.removeprefix("{ok,").removesuffix("}")

    def close(self) -> None:
        super().close()
        self.port_mapper.kill()

    def start(self) -> RabbitServer:
        self.port_mapper.spawn()
        return super().start()

    def _prepare(self) -> ChildProcess:
        self.console_port, mapper_port = free_port(), free_port()
        self.port_mapper = ChildProcess(
            command=[_port_mapper(), "-address", "127.0.0.1", "-port", str(mapper_port)],
            log=self.folder / "epmd.log",
        )
        configuration = self.folder / "rabbitmq.conf"
        encryption = self._encryption() if self._encrypted else ""
        configuration.write_text(
            CONFIGURATION.format(port=self.port) + encryption + self._configuration
        )
        environment = self._places(configuration) | {
            "ERL_EPMD_PORT": str(mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "FOREBAY_TEST_CONSOLE_PORT": str(self.console_port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": self._machine_arguments(),
            # The script becomes the node instead of staying in front of it as its parent.
            "detached": "true",
        }
        return ChildProcess(
            command=[_script()], log=self.log, environment=environment, scratch=self.folder
        )

    def _encryption(self) -> str:
        self.tls, self.tls_port = Authority(self.folder / "tls"), free_port()
        certificate = self.tls.issue("server")
        return ENCRYPTION.format(tls_port=self.tls_port, tls=self.tls, certificate=certificate)

    def _places(self, configuration: Path) -> dict[str, str]:
        return {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"test{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(configuration),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }

    def _machine_arguments(self) -> str:
        console = Path(__file__).with_name("rabbitmq_console.erl")
        return (
            f"{SMALL_MACHINE} -kernel inet_dist_use_interface {{127,0,0,1}}"
            f' -eval file:eval("{console}").'
        )

    def _is_ready(self) -> bool:
        # The console opens after the boot: before that, a port that answers proves nothing.
        return self.accepts_connections(self.console_port) and self.accepts_connections()

    def _logs(self) -> Iterator[Path]:
        yield self.log
        yield from (self.folder / "log").glob("*.log")


def _erlang(text: str) -> str:
    """A string of Erlang, its backslashes kept."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _script() -> str:
    """The script itself: the one on Debian's PATH becomes the user rabbitmq first."""
    return find_program(
        ["/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"],
        install="the package rabbitmq-server",
    )


def _port_mapper() -> str:
    return find_program(["epmd"], install="the package rabbitmq-server (it brings Erlang)")
