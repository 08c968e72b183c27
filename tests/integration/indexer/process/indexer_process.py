"""The real indexer, in a process of its own, and what it works on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path
from typing import Final

from shared.settings import Settings, load_settings
from tests.servers.process import ChildProcess, without_secrets
from tests.servers.warm_python import CAN_FORK, WarmPython

_numbers = count(1)

ALWAYS: Final = {
    "CELERY_CUSTOM_WORKER_POOL": "shared.pool.pool:AsyncioPool",
    "REMAP_SIGTERM": "SIGQUIT",
}
LOADED: Final = (
    "indexer.__main__",
    "indexer.building",
    "indexer.tasks",
    "shared.pool.consumer",
    "shared.pool.installation",
    "shared.queueing.amqp.transport",
    "shared.queueing.celery_app",
    "shared.queueing.redis_lists.transport",
    "shared.search.embedded.embedded_store",
    "celery.apps.worker",
    "celery.worker.consumer",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "structlog",
)
"""What an indexer loads before it is ready; not `indexer.app`, which reads the settings."""


@dataclass(frozen=True)
class IndexerGround:
    """A broker, a ledger, and a folder for the index."""

    broker_url: str
    ledger_url: str
    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "FOREBAY_BROKER__URL": self.broker_url,
            "FOREBAY_LEDGER__URL": self.ledger_url,
            "FOREBAY_INDEX__FOLDER": str(self.folder / "index"),
            "FOREBAY_INDEX__LEASE_SECONDS": "60",
            "FOREBAY_WORKER__SOFT_SHUTDOWN_SECONDS": "2",
            **ALWAYS,
            **self.extra,
        }

    @property
    def settings(self) -> Settings:
        return load_settings(self.environment)


class IndexerProcess:
    """`python -m indexer`, or with `by_celery` as others may start it; never outlives the tests.

    Its modules are loaded before, once for all of them.
    """

    def __init__(self, ground: IndexerGround, *, by_celery: bool = False) -> None:
        name = f"indexer-{next(_numbers)}@localhost"
        own = ["indexer", "--name", name]
        self._warm = None if by_celery or not CAN_FORK else _warm()
        celery = ["celery", "-A", "indexer.app", "worker", "--pool", "custom", "--hostname", name]
        self.log = ground.folder / f"{name}.log"
        command = celery if by_celery else own
        self.process = ChildProcess(
            command if self._warm else [sys.executable, "-m", *command],
            self.log,
            environment=without_secrets() | ground.environment,
            warm=self._warm,
        )

    def start(self) -> IndexerProcess:
        """Returns at once."""
        self.process.spawn()
        return self


@cache
def _warm() -> WarmPython:
    return WarmPython(LOADED, without_secrets() | ALWAYS)
