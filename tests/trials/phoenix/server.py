"""A real Phoenix, in an environment of its own."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.ports import free_port
from tests.servers.process import ChildProcess
from tests.servers.server import Server


class PhoenixServer(Server):
    """Takes OTLP over HTTP at `traces_endpoint`, keeps it in a SQLite file of its folder."""

    name: ClassVar[str] = "phoenix"

    def __init__(self, program: Path) -> None:
        self._program = program
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def traces_endpoint(self) -> str:
        return f"{self.url}/v1/traces"

    def spans(self) -> list[dict[str, Any]]:
        """All that it has, as its REST interface tells them."""
        with urllib.request.urlopen(f"{self.url}/v1/projects/default/spans?limit=1000") as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]
        return found

    def asked(self, query: str) -> Any:
        """What its GraphQL interface, which its own screens are made from, answers."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            json.dumps({"query": query}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            told = json.load(answer)
        assert "errors" not in told, told["errors"]
        return told["data"]

    def _prepare(self) -> ChildProcess:
        return ChildProcess(
            command=[str(self._program), "serve"],
            log=self.log,
            scratch=self.folder,
            environment={
                "HOME": str(self.folder),
                "PATH": os.environ["PATH"],
                "PHOENIX_HOST": "127.0.0.1",
                "PHOENIX_PORT": str(self.port),
                "PHOENIX_GRPC_PORT": str(free_port()),
                "PHOENIX_WORKING_DIR": str(self.folder),
                "PHOENIX_TELEMETRY_ENABLED": "false",
            },
        )

    def _is_ready(self) -> bool:
        try:
            self.spans()
        except OSError:
            return False
        return True
