"""A real Prometheus with the configuration of deploy/prometheus, over processes of a test."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import yaml

from tests.servers.process import ChildProcess
from tests.servers.server import Server, find_program

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "prometheus.yml"
RULES = CONFIGURATION.with_name("rules.yml")
SCRAPE_SECONDS = 1
"""Of tests: in production it is fifteen."""


class PrometheusServer(Server):
    """Scrapes each job at its port, every second, as deploy/prometheus/prometheus.yml has it."""

    name: ClassVar[str] = "prometheus"

    def __init__(self, ports: Mapping[str, int]) -> None:
        """`ports` are those on this machine, by the names of the jobs, all of which it takes."""
        self._ports = ports
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that it gives now; AssertionError says what is wrong with the expression."""
        found: list[dict[str, Any]] = self._asked("query", query=expression)["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Those of every group, and how they fared when they were evaluated last."""
        return [rule for group in self._asked("rules")["groups"] for rule in group["rules"]]

    def _asked(self, what: str, **parameters: str) -> Any:
        address = f"{self.url}/api/v1/{what}?{urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def _prepare(self) -> ChildProcess:
        configuration = yaml.safe_load(CONFIGURATION.read_text())
        often = dict.fromkeys(("scrape_interval", "evaluation_interval"), f"{SCRAPE_SECONDS}s")
        configuration["global"] |= often
        configuration["rule_files"] = [str(RULES)]
        jobs = {job["job_name"]: job for job in configuration["scrape_configs"]}
        assert jobs.keys() == self._ports.keys()
        for name, job in jobs.items():
            (static,) = job["static_configs"]
            static["targets"] = [f"127.0.0.1:{self._ports[name]}"]
        file = self.folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration))
        program = find_program(["prometheus"], install="the package prometheus")
        options = {
            "config.file": file,
            "storage.tsdb.path": self.folder / "data",
            "web.listen-address": f"127.0.0.1:{self.port}",
            "log.level": "warn",
        }
        command = [program, *(f"--{option}={value}" for option, value in options.items())]
        return ChildProcess(command=command, log=self.log, scratch=self.folder)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
