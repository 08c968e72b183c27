"""Scripted providers in processes of their own, and what they have seen."""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.benchmarks.ground.program import Program
from tests.servers.ports import free_port


class _Seen(msgspec.Struct):
    count: int
    most_in_flight: int


class ScriptedProvider:
    """Answers every call after `seconds`, or as long as `others` tells of what a call contains."""

    def __init__(
        self, folder: Path, *, seconds: float, others: Mapping[str, float] | None = None
    ) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._seconds = seconds
        self._others = others or {}
        self.program = Program(
            ["-m", "deploy.scripted_provider", "--port", str(port)],
            log=folder / "provider.log",
            environment={},
        )

    def __enter__(self) -> ScriptedProvider:
        self.program.__enter__()
        self.program.wait_until(lambda: "http" in self.program.log_text(), "provider")
        rules: list[dict[str, object]] = [
            {"match": {"contains": text}, "behave": {"kind": "latency", "seconds": seconds}}
            for text, seconds in self._others.items()
        ]
        rules.append({"behave": {"kind": "latency", "seconds": self._seconds}})
        self._ask("/script", msgspec.json.encode(rules))
        return self

    def __exit__(self, *_: object) -> None:
        self.program.__exit__()

    @property
    def calls(self) -> int:
        """How many calls have arrived."""
        return self._seen().count

    @property
    def most_in_flight(self) -> int:
        """The most calls that were being answered at one time."""
        return self._seen().most_in_flight

    def _seen(self) -> _Seen:
        return msgspec.json.decode(self._ask("/calls?latest=0"), type=_Seen)

    def _ask(self, path: str, content: bytes | None = None) -> bytes:
        with urllib.request.urlopen(self.url + path, content, timeout=30) as answer:
            body: bytes = answer.read()
        return body
