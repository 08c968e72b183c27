"""Worker processes for the pool's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.worker_pool.worker_process import WorkerProcess

StartWorker = Callable[..., WorkerProcess]


@pytest.fixture
def start_worker(tmp_path: Path) -> Iterator[StartWorker]:
    """Starts workers on a broker; all of them are gone after the test."""
    started: list[WorkerProcess] = []

    def start(broker_url: str, *, ready: bool = True, **options: object) -> WorkerProcess:
        worker = WorkerProcess(broker_url, tmp_path, **options)  # type: ignore[arg-type]
        started.append(worker)
        return worker.start(ready=ready)

    yield start
    for worker in started:
        worker.close()


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """What the task `held` waits for: it ends once the file exists."""
    return tmp_path / "gate"
