"""Two builds of Forebay on the same servers: the one here, and an older one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Ground

REVISION: Final = os.environ.get("FOREBAY_BASELINE", "292c270")
"""The older build: what every ratio is held against."""
IMPORTED_REVISION: Final = os.environ.get("FOREBAY_BASELINE", "aee2523")
"""The same where a program imports both builds, which the former is too old for."""

COMMAND: Final = ("-m", "deploy.cli")


class _NewKey(msgspec.Struct):
    key: str


class Checkout:
    """A build as its users meet it: nothing of it is imported."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self, ground: Ground) -> str:
        """Its own tables in the ground's empty ledger, and the key of a new tenant."""
        self.run(ground, "check", "--migrate")
        told = self.run(ground, "keys", "create", "--tenant", "baseline", "--json")
        return msgspec.json.decode(told, type=_NewKey).key

    def door(self, ground: Ground) -> Program:
        """One ingress process."""
        return self._program(ground, "ingress", environment={})

    def worker(
        self,
        ground: Ground,
        *,
        chain: Sequence[Mapping[str, str]],
        command: Sequence[str] = COMMAND,
    ) -> Program:
        """One worker process with this chain of providers."""
        environment = {"FOREBAY_PROVIDERS": msgspec.json.encode(chain).decode()}
        verb = ("worker", "--concurrency=500")
        return self._program(ground, *verb, environment=environment, command=command)

    def _program(
        self,
        ground: Ground,
        *verb: str,
        environment: dict[str, str],
        command: Sequence[str] = COMMAND,
    ) -> Program:
        return Program(
            [*command, *verb],
            log=ground.folder / f"{verb[0]}.log",
            environment={**ground.environment, **environment},
            folder=self._folder,
        )

    def run(self, ground: Ground, *verb: str) -> bytes:
        """A command to its end, which has to be a good one; what it printed."""
        return self.run_python(ground, *COMMAND, *verb)

    def run_python(self, ground: Ground, *arguments: str) -> bytes:
        """The same of a program that imports this build."""
        finished = subprocess.run(
            [sys.executable, *arguments],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(self._folder), **ground.environment},
            capture_output=True,
            timeout=60,
        )
        said = (finished.stdout + finished.stderr).decode(errors="replace")
        assert finished.returncode == 0, f"{arguments} on {self._folder}: {said}"
        return finished.stdout


@contextmanager
def builds(revision: str = REVISION) -> Iterator[dict[str, Checkout]]:
    """The build here as "ours", and the older one in a worktree of its own as "stock"."""
    with tempfile.TemporaryDirectory(prefix="forebay-baseline-") as folder:
        older = Path(folder) / "older"
        _git("worktree", "prune")  # of a run that was killed, whose folder is gone
        _git("worktree", "add", "--quiet", "--detach", str(older), revision)
        try:
            yield {"ours": Checkout(Path.cwd()), "stock": Checkout(older)}
        finally:
            _git("worktree", "remove", "--force", str(older))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, timeout=60, stdout=subprocess.DEVNULL)
