"""Warm, soft, cold and sudden ends: nothing lost, nothing left behind."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.integration.worker_pool.conftest import StartWorker


def test_a_warm_shutdown_waits_for_what_runs(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url)
    tasks = {worker.send("held", str(gate)) for _ in range(5)}
    worker.wait_for_facts("began", 5)
    worker.signal(signal.SIGTERM)
    worker.wait_for_log("Warm shutdown")
    gate.touch()
    assert worker.wait() == 0
    assert set(worker.facts("ended")) == tasks
    assert worker.facts_in_order()[-1] == "closed -", "the lifespan closes after the last task"
    again = start_worker(broker_url, name="again")
    again.send("nap", 0)
    again.wait_for_facts("ended", 6)
    assert len(again.facts("began")) == 6, "what ended was acknowledged and does not come again"


def test_a_cold_shutdown_cancels_and_the_messages_come_again(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url)
    tasks = {worker.send("held", str(gate)) for _ in range(5)}
    worker.wait_for_facts("began", 5)
    worker.signal(signal.SIGQUIT)
    worker.wait()
    assert set(worker.facts("cancelled")) == tasks
    assert worker.facts_in_order()[-1] == "closed -"
    gate.touch()
    again = start_worker(broker_url, name="again")
    assert set(again.wait_for_facts("ended", 5)) == tasks


def test_a_soft_shutdown_lets_short_tasks_end_and_gives_back_the_long_ones(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url, POOL_SOFT_SHUTDOWN="2", REMAP_SIGTERM="SIGQUIT")
    short, long = worker.send("nap", 0.1), worker.send("held", str(gate))
    worker.wait_for_facts("began", 2)
    worker.signal(signal.SIGTERM)
    worker.wait()
    assert worker.facts("ended") == [short]
    assert worker.facts("cancelled") == [long]
    gate.touch()
    again = start_worker(broker_url, name="again")
    assert again.wait_for_facts("ended", 2) == [short, long]
    assert again.facts("began").count(short) == 1


def test_a_soft_shutdown_is_over_with_the_last_task(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, POOL_SOFT_SHUTDOWN="600", REMAP_SIGTERM="SIGQUIT")
    worker.send("nap", 0.5)
    worker.wait_for_facts("began")
    worker.signal(signal.SIGTERM)
    worker.wait(seconds=60)
    assert worker.facts("closed") == ["-"]


def test_a_killed_worker_loses_nothing(
    amqp_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(amqp_url)
    tasks = {worker.send("held", str(gate)) for _ in range(5)}
    worker.wait_for_facts("began", 5)
    worker.signal(signal.SIGKILL)
    worker.wait()
    gate.touch()
    again = start_worker(amqp_url, name="again")
    assert set(again.wait_for_facts("ended", 5)) == tasks


def test_a_lifespan_that_does_not_open_stops_the_worker(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, ready=False, POOL_FAIL_LIFESPAN="1")
    assert worker.wait() == 1
    assert "the application's lifespan did not open: ConnectionError" in worker.log


def test_a_lifespan_that_falls_over_stops_the_worker_and_loses_nothing(
    amqp_url: str, tmp_path: Path, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(amqp_url, POOL_FALLING_LIFESPAN=str(tmp_path / "fall"))
    task = worker.send("held", str(gate))
    worker.wait_for_facts("began")
    (tmp_path / "fall").touch()
    assert worker.wait() == 1
    assert "fell over" in worker.log
    gate.touch()
    again = start_worker(amqp_url, name="again")
    assert again.wait_for_facts("ended") == [task]
