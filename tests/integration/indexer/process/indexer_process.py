"""The real indexer, in a process of its own, and what it works on."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from shared.settings import Settings, load_settings
from tests.servers.process import ChildProcess, without_secrets

_numbers = count(1)


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
            "FOREBAY_INDEX__LEASE_SECONDS": "3",
            "FOREBAY_WORKER__SOFT_SHUTDOWN_SECONDS": "2",
            "CELERY_CUSTOM_WORKER_POOL": "shared.pool.pool:AsyncioPool",
            "REMAP_SIGTERM": "SIGQUIT",
            **self.extra,
        }

    @property
    def settings(self) -> Settings:
        return load_settings(self.environment)


class IndexerProcess:
    """`python -m indexer`, or with `by_celery` as others may start it; never outlives the tests."""

    def __init__(self, ground: IndexerGround, *, by_celery: bool = False) -> None:
        name = f"indexer-{next(_numbers)}@localhost"
        own = ["indexer", "--name", name]
        celery = ["celery", "-A", "indexer.app", "worker", "--pool", "custom", "--hostname", name]
        self.log = ground.folder / f"{name}.log"
        self.process = ChildProcess(
            [sys.executable, "-m", *(celery if by_celery else own)],
            self.log,
            environment=without_secrets() | ground.environment,
        )

    def start(self) -> IndexerProcess:
        """Returns at once."""
        self.process.spawn()
        return self
