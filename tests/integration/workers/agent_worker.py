"""The real agent worker, in a process of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import cache
from itertools import count
from pathlib import Path

from shared.messages.lane import Lane
from tests.integration.workers.stack import Stack
from tests.servers.process import ChildProcess, without_secrets
from tests.servers.warm_python import CAN_FORK, WarmPython

_numbers = count(1)

ALWAYS = {
    "CELERY_CUSTOM_WORKER_POOL": "shared.pool.pool:AsyncioPool",
    # A worker that is stopped lets its turns finish first.
    "REMAP_SIGTERM": "SIGQUIT",
}
LOADED = (
    "workers.__main__",
    "workers.building.runtime",
    "workers.tasks",
    "shared.pool.consumer",
    "shared.pool.installation",
    "shared.queueing.amqp.transport",
    "shared.queueing.celery_app",
    "shared.queueing.redis_lists.transport",
    "celery.apps.worker",
    "celery.worker.consumer",
    "genai_prices.data",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "structlog",
    "uvloop",
)
"""What a worker loads before it is ready; not `workers.app`, which reads the settings."""


class AgentWorker:
    """`python -m workers`, which `forebay worker` becomes; never outlives the tests.

    Its modules are loaded before, once for all of them, unless it is to be `cold`. With
    `by_celery` it is `celery -A workers.app worker`, as others may start it. Where Redis goes away
    or stands still it is to be `hasty`, as the product is; others wait for it, however busy the
    machine is.
    """

    def __init__(
        self,
        stack: Stack,
        folder: Path,
        *,
        concurrency: int = 200,
        cold: bool = False,
        by_celery: bool = False,
        hasty: bool = False,
        lanes: tuple[Lane, ...] = (),
        through: Sequence[str] = (),
    ) -> None:
        """`through` is a command that runs another, which it is started by."""
        name = f"agent-{next(_numbers)}"
        self._log = folder / f"{name}.log"
        patience = [] if hasty else ["tests.integration.patience"]
        own = [*patience, "workers", "--name", f"{name}@localhost"]
        own += [f"--lane={lane}" for lane in lanes]
        celery = ["celery", "-A", "workers.app", "worker", "--pool", "custom"]
        celery += ["--hostname", f"{name}@localhost", "--loglevel", "INFO"]
        celery += ["--without-mingle", "--without-gossip"]
        # What Python is told itself it reads before the first module.
        is_told = any(name.startswith("PYTHON") for name in stack.environment)
        is_cold = cold or by_celery or is_told or not CAN_FORK or bool(through)
        self._warm = None if is_cold else _warm_workers()
        self._command = [] if self._warm else [*through, sys.executable, "-m"]
        self._command += [*(celery if by_celery else own), "--concurrency", str(concurrency)]
        self._environment = {**stack.environment, **ALWAYS}
        self._process = self._child()

    def start(self, *, ready: bool = True) -> AgentWorker:
        """Start it; with `ready`, return when it consumes."""
        self._process.spawn()
        if ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, *, seconds: float = 60) -> None:
        self.wait_until_it_says(" ready.", seconds=seconds)

    def wait_until_it_says(self, words: str, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.log:
            if time.monotonic() > deadline or not self._process.is_running:
                raise AssertionError(f"not {words!r}:\n{self.log[-6000:]}")
            time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL: nothing of it has a chance to clean up."""
        self._process.kill()

    def replace(self) -> None:
        """Start a new process in the place of one that was killed; it may not be ready yet."""
        self._process.kill()
        self._process = self._child()
        self._process.spawn()

    def pause(self) -> None:
        """SIGSTOP: it holds its leases and connections and does nothing."""
        self._process.pause()

    def resume(self) -> None:
        """SIGCONT: it goes on where it stood, however late that is."""
        self._process.resume()

    @property
    def pid(self) -> int:
        """Its process, which its leases name."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.is_running

    @property
    def log(self) -> str:
        """Everything it and its predecessors wrote."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _child(self) -> ChildProcess:
        return ChildProcess(
            command=self._command, log=self._log, environment=self._environment, warm=self._warm
        )


@cache
def _warm_workers() -> WarmPython:
    return WarmPython(LOADED, without_secrets() | ALWAYS)
