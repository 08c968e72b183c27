"""A worker process of the pool's tests, and a producer beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from celery import Celery

from tests.servers.warm_python import CAN_FORK, ForkedProcess, WarmPython

ROOT = Path(__file__).parents[3]
MODULE = "tests.integration.worker_pool.application"
ALWAYS = {"CELERY_CUSTOM_WORKER_POOL": "shared.pool.pool:AsyncioPool"}


@cache
def _warm_workers() -> WarmPython:
    loaded = ("celery.bin.celery", "celery.apps.worker", "celery.worker.consumer")
    ours = ("shared.pool.consumer", "shared.pool.installation", "shared.queueing.amqp.transport")
    ours += ("shared.queueing.redis_lists.transport",)
    return WarmPython([*loaded, *ours], {**os.environ, **ALWAYS})


class WorkerProcess:
    """A `celery worker` with the asyncio pool in a process of its own."""

    def __init__(
        self,
        broker_url: str,
        folder: Path,
        *,
        concurrency: int = 50,
        name: str = "tested",
        pool: str = "custom",
        options: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        self.name = f"{name}@localhost"
        self._facts = folder / "facts"
        self._log = folder / f"{name}.log"
        self._command = ["celery", "-A", MODULE, "worker"]
        self._command += ["--pool", pool, "--concurrency", str(concurrency)]
        self._command += ["--hostname", self.name, "--loglevel", "INFO"]
        self._command += ["--without-mingle", "--without-gossip", *options]
        self._environment = {
            **os.environ,
            **ALWAYS,
            "POOL_BROKER": broker_url,
            "POOL_FACTS": str(self._facts),
            **environment,
        }
        # That one is read when modules are loaded.
        self._is_cold = not CAN_FORK or "REMAP_SIGTERM" in environment
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None
        self.producer = Celery("producer", broker=broker_url, set_as_current=False)
        self.producer.conf.task_default_queue = "pool"
        self.producer.conf.task_default_queue_type = environment.get("POOL_QUEUE_TYPE", "classic")

    def start(self, *, ready: bool = True) -> WorkerProcess:
        """Start it; with `ready`, return when it consumes."""
        self._process = self._cold() if self._is_cold else self._warm()
        if ready:
            self.wait_for_log(" ready.")
        return self

    def _cold(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *self._command]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )

    def _warm(self) -> ForkedProcess:
        return _warm_workers().start(
            self._command, environment=self._environment, folder=ROOT, log=self._log
        )

    @property
    def process(self) -> subprocess.Popen[bytes] | ForkedProcess:
        assert self._process is not None
        return self._process

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def facts(self, what: str) -> list[str]:
        """What was noted under `what`, in order."""
        lines = self.facts_in_order()
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{what} ")]

    def facts_in_order(self) -> list[str]:
        return self._facts.read_text().splitlines() if self._facts.exists() else []

    def send(self, task: str, *args: object, **options: object) -> str:
        """Send a task of the application; gives its id."""
        return str(self.producer.send_task(f"{MODULE}.{task}", args, **options).id)

    def wait_for_facts(self, what: str, count: int = 1, *, seconds: float = 60) -> list[str]:
        self.wait_until(lambda: len(self.facts(what)) >= count, f"{count} x {what}", seconds)
        return self.facts(what)

    def wait_for_log(self, text: str, *, seconds: float = 60) -> None:
        self.wait_until(lambda: text in self.log, f"{text!r} in the log", seconds)

    def wait_until(self, true: Callable[[], object], what: str, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            over = time.monotonic() > deadline
            if over or (self._process and self._process.poll() is not None and not true()):
                raise AssertionError(f"no {what}\n{self.log[-6000:]}")
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, *, seconds: float = 60) -> int:
        """Wait for its end; gives the exit code."""
        return self.process.wait(seconds)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.producer.close()
