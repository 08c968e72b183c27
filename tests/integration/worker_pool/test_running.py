"""Tasks run side by side, each with its own request."""

from __future__ import annotations

import signal
import time

from tests.integration.worker_pool.conftest import StartWorker


def test_many_coroutines_run_at_once_in_one_process(
    broker_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(broker_url, concurrency=200)
    began = time.monotonic()
    ids = {worker.send("nap", 1.0) for _ in range(200)}
    assert set(worker.wait_for_facts("ended", 200)) == ids
    assert time.monotonic() - began < 10, "200 naps of 1 s, one after the other, take 200 s"
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert worker.facts("opened") == worker.facts("closed") == ["-"]
