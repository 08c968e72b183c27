"""Time limits, revocation, inspection and events, as with any pool."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.integration.worker_pool.conftest import StartWorker
from tests.integration.worker_pool.worker_process import WorkerProcess


def test_the_soft_limit_raises_inside_the_coroutine(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url)
    task = worker.send("limited", 60, soft_time_limit=0.2)
    assert worker.wait_for_facts("softly") == [task]
    worker.wait_for_log("Soft time limit (0.2s) exceeded")
    worker.wait_for_log("raised unexpected: SoftTimeLimitExceeded")


def test_the_hard_limit_cancels_the_coroutine_and_reports_it(
    amqp_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(amqp_url, options=("--time-limit", "0.3"))
    task = worker.send("limited", 60)
    assert worker.wait_for_facts("hard") == [task]
    worker.wait_for_log("Hard time limit (0.3s) exceeded")
    worker.wait_until(lambda: stats(worker)["pool"]["running"] == 0, "free slot")


def test_revoke_with_terminate_cancels_that_coroutine_only(
    redis_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(redis_url)
    condemned, spared = worker.send("nap", 60), worker.send("held", str(gate))
    worker.wait_for_facts("began", 2)
    worker.producer.control.revoke(condemned, terminate=True)
    assert worker.wait_for_facts("cancelled") == [condemned]
    gate.touch()
    assert worker.wait_for_facts("ended") == [spared]
    inspect = worker.producer.control.inspect([worker.name], timeout=60)
    assert condemned in (inspect.revoked() or {})[worker.name]


def test_a_revoked_task_that_waits_never_begins(
    redis_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(redis_url, concurrency=1, options=("--prefetch-multiplier", "3"))
    first, second = worker.send("held", str(gate)), worker.send("nap", 0)
    worker.wait_for_facts("began")
    worker.producer.control.revoke(second)
    worker.wait_for_log("flagged as revoked")
    gate.touch()
    worker.wait_for_log("Discarding revoked task")
    last = worker.send("nap", 0)
    assert worker.wait_for_facts("ended", 2) == [first, last]


def test_inspect_shows_what_runs(amqp_url: str, start_worker: StartWorker, gate: Path) -> None:
    worker = start_worker(amqp_url, concurrency=1, options=("--prefetch-multiplier", "2"))
    running, waiting = worker.send("held", str(gate)), worker.send("nap", 0)
    worker.wait_for_facts("began")
    inspect = worker.producer.control.inspect([worker.name], timeout=60)
    active = (inspect.active() or {})[worker.name]
    assert [task["id"] for task in active] == [running]

    def reserved() -> list[str]:
        return [task["id"] for task in (inspect.reserved() or {})[worker.name]]

    worker.wait_until(lambda: reserved() == [waiting], "the second to wait")
    assert active[0]["worker_pid"] > 2**22
    pool = stats(worker)["pool"]
    assert pool["implementation"] == "shared.pool.pool:AsyncioPool"
    assert pool["max-concurrency"] == 1
    assert pool["processes"] == [worker.process.pid]


def test_events_tell_the_life_of_a_task(amqp_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(amqp_url, options=("--task-events", "--heartbeat-interval", "1"))
    seen: list[tuple[str, str]] = []
    listening, done = threading.Event(), threading.Event()

    def note(event: dict[str, str]) -> None:
        seen.append((event["uuid"], event["type"]))
        if len(seen) == 6:
            done.set()

    def listen() -> None:
        kinds = ("received", "started", "succeeded", "failed")
        with worker.producer.connection_for_read() as connection:
            receiver = worker.producer.events.Receiver(
                connection,
                handlers={
                    "worker-heartbeat": lambda _: listening.set(),
                    **{f"task-{kind}": note for kind in kinds},
                },
            )
            for _ in receiver.itercapture(limit=None, timeout=60, wakeup=False):
                if done.is_set():
                    return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert listening.wait(60)
    good, bad = worker.send("empty"), worker.send("fail")
    assert done.wait(60), seen
    expected = ["task-received", "task-started"]
    assert [kind for task, kind in seen if task == good] == [*expected, "task-succeeded"]
    assert [kind for task, kind in seen if task == bad] == [*expected, "task-failed"]


@pytest.mark.parametrize(("pool", "exit_code"), [("prefork", 1), ("solo", 1)])
def test_another_pool_is_refused_with_the_command_to_type(
    pool: str, exit_code: int, redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, pool=pool, ready=False)
    assert worker.wait() == exit_code
    assert "forebay worker" in worker.log
    assert "CELERY_CUSTOM_WORKER_POOL=shared.pool.pool:AsyncioPool" in worker.log
    assert "Traceback" not in worker.log


def test_an_application_that_keeps_results_is_refused(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, POOL_RESULTS=redis_url, ready=False)
    assert worker.wait() == 1
    assert "take result_backend out of the application" in worker.log
    assert "Traceback" not in worker.log


def test_a_broker_without_event_loop_is_refused(start_worker: StartWorker) -> None:
    worker = start_worker("memory://", ready=False)
    assert worker.wait() == 1
    assert "set the broker URL to amqp:// or redis://" in worker.log


def stats(worker: WorkerProcess) -> dict[str, dict[str, object]]:
    inspect = worker.producer.control.inspect([worker.name], timeout=60)
    return dict((inspect.stats() or {})[worker.name])
