"""Real haproxy and nginx with the configurations of deploy/proxies, before doors of a test."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from tests.servers.process import ChildProcess
from tests.servers.server import Server, find_program

CONFIGURATIONS = Path(__file__).resolve().parents[2] / "deploy" / "proxies"


class ProxyServer(Server):
    """Stands before two doors, which need not run yet."""

    boot_seconds: ClassVar[float] = 20

    def __init__(self, door_ports: Sequence[int]) -> None:
        self.door_ports = door_ports
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """All that it logged."""
        return "".join(file.read_text(errors="replace") for file in self._logs() if file.exists())

    def _prepare(self) -> ChildProcess:
        return ChildProcess(
            command=self._command(),
            environment=self._environment(),
            log=self.log,
            scratch=self.folder,
        )

    @abstractmethod
    def _command(self) -> list[str]: ...

    def _environment(self) -> dict[str, str]:
        return {}

    def _is_ready(self) -> bool:
        return self.accepts_connections()


class HaproxyServer(ProxyServer):
    """deploy/proxies/haproxy.cfg as it is, its addresses out of the environment."""

    name: ClassVar[str] = "haproxy"

    def _command(self) -> list[str]:
        program = find_program(["haproxy", "/usr/sbin/haproxy"], install="the package haproxy")
        return [program, "-db", "-f", str(CONFIGURATIONS / "haproxy.cfg")]

    def _environment(self) -> dict[str, str]:
        first, second = self.door_ports
        return {
            "FOREBAY_PROXY_ADDRESS": f"127.0.0.1:{self.port}",
            "FOREBAY_DOOR_1": f"127.0.0.1:{first}",
            "FOREBAY_DOOR_2": f"127.0.0.1:{second}",
            "FOREBAY_LOOK_EVERY": "500ms",
        }


class NginxServer(ProxyServer):
    """deploy/proxies/nginx.conf with other ports."""

    name: ClassVar[str] = "nginx"

    @property
    def _requests(self) -> Path:
        return self.folder / "requests.log"

    def _logs(self) -> Iterator[Path]:
        yield from super()._logs()
        yield self._requests

    def _command(self) -> list[str]:
        program = find_program(["nginx", "/usr/sbin/nginx"], install="the package nginx")
        main = self.folder / "nginx.conf"
        main.write_text(
            f"""\
daemon off;
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log stderr info;
events {{ worker_connections 512; }}
http {{
    client_body_temp_path {self.folder}/body;
    proxy_temp_path {self.folder}/proxy;
    fastcgi_temp_path {self.folder}/fastcgi;
    uwsgi_temp_path {self.folder}/uwsgi;
    scgi_temp_path {self.folder}/scgi;
    include {self._site()};
}}
"""
        )
        return [program, "-p", str(self.folder), "-e", "stderr", "-c", str(main)]

    def _site(self) -> Path:
        text = (CONFIGURATIONS / "nginx.conf").read_text()
        ports = {"8080": self.door_ports[0], "8081": self.door_ports[1], "8000": self.port}
        for usual, here in ports.items():
            text, number = re.subn(rf"(127\.0\.0\.1:|listen ){usual}\b", rf"\g<1>{here}", text)
            assert number == 1
        text = text.replace("listen ", "listen 127.0.0.1:", 1)
        text = text.replace("/var/log/nginx/forebay.log", str(self._requests))
        site = self.folder / "forebay.conf"
        site.write_text(text)
        return site
