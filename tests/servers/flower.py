"""A real Flower, as the product starts it."""

from __future__ import annotations

import base64
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.servers.process import ChildProcess, without_secrets
from tests.servers.server import Server

LOGIN = "watcher:secret"


class FlowerServer(Server):
    """`python -m deploy.flower` at the broker that the environment names."""

    name: ClassVar[str] = "flower"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tasks(self) -> dict[str, dict[str, Any]]:
        """What it shows of each task that it has heard of."""
        told: dict[str, dict[str, Any]] = json.loads(self._get("/api/tasks"))
        return told

    def workers(self) -> list[str]:
        """The names of those that it has heard of."""
        return list(json.loads(self._get("/api/workers")))

    def _get(self, path: str) -> bytes:
        login = base64.b64encode(LOGIN.encode()).decode()
        request = urllib.request.Request(
            self.url + path, headers={"authorization": f"Basic {login}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            told: bytes = answer.read()
        return told

    def _prepare(self) -> ChildProcess:
        options = ["--address=127.0.0.1", f"--port={self.port}", "--read-only=true"]
        return ChildProcess(
            command=[sys.executable, "-m", "deploy.flower", *options],
            log=self.log,
            scratch=self.folder,
            environment=without_secrets() | self._environment | {"FLOWER_BASIC_AUTH": LOGIN},
        )

    def _is_ready(self) -> bool:
        try:
            return bool(self.workers())
        except OSError:
            return False
