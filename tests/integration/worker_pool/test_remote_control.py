"""Queues, rates, sizes and ends by remote control, while the event loop takes the messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kombu import Connection, Queue

from tests.integration.consuming.test_consumers import readers
from tests.integration.worker_pool.conftest import StartWorker
from tests.integration.worker_pool.worker_process import MODULE, WorkerProcess


def test_a_queue_is_added_and_cancelled(broker_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(broker_url)
    control = worker.producer.control
    control.add_consumer("extra", exchange="extra", routing_key="extra", reply=True)
    wait_for_queues(worker, {"pool", "extra"})
    first = send_to("extra", worker)
    assert worker.wait_for_facts("ended") == [first]
    control.cancel_consumer("extra", reply=True)
    wait_for_queues(worker, {"pool"})
    between = until_nobody_reads("extra", worker)
    send_to("extra", worker)
    last = worker.send("nap", 0)
    assert worker.wait_for_facts("ended", 4) == [first, *between, last]


def test_a_task_with_an_eta_is_scheduled_and_begins_then(
    broker_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(broker_url)
    far = worker.send("nap", 0, eta=datetime.now(UTC) + timedelta(hours=1))
    worker.wait_until(lambda: scheduled(worker) == [far], "scheduled task")
    now = worker.send("nap", 0)
    assert worker.wait_for_facts("ended") == [now]
    due = datetime.now(UTC) + timedelta(seconds=1)
    later = worker.send("nap", 0, eta=due)
    assert worker.wait_for_facts("ended", 2) == [now, later]
    assert datetime.now(UTC) >= due
    worker.wait_until(lambda: scheduled(worker) == [far], "the other to be scheduled alone")


def test_an_expired_task_never_begins(broker_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(broker_url)
    worker.send("nap", 0, expires=datetime.now(UTC) - timedelta(seconds=1))
    last = worker.send("nap", 0)
    assert worker.wait_for_facts("ended") == [last]
    assert worker.facts("began") == [last]


def test_a_rate_limit_is_set(redis_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(redis_url)
    worker.producer.control.rate_limit(f"{MODULE}.rationed", "1/h", reply=True)
    for _ in range(2):
        worker.send("rationed")
    worker.wait_for_facts("rationed")
    worker.send("nap", 1)
    worker.wait_for_facts("ended")
    assert len(worker.facts("rationed")) == 1
    worker.producer.control.rate_limit(f"{MODULE}.rationed", "0", reply=True)
    for _ in range(200):
        worker.send("rationed")
    worker.wait_for_facts("rationed", 201)  # at two a second, they would take 100 s


def test_the_pool_grows_and_takes_more(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url, concurrency=1)
    for _ in range(3):
        worker.send("held", str(gate))
    worker.wait_for_facts("began", 1)
    worker.producer.control.pool_grow(2, reply=True)
    worker.wait_for_facts("began", 3)
    gate.touch()
    worker.wait_for_facts("ended", 3)


def test_remote_shutdown_ends_what_runs_first(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url)
    task = worker.send("held", str(gate))
    worker.wait_for_facts("began")
    worker.producer.control.shutdown()
    worker.wait_for_log("Got shutdown from remote")
    gate.touch()
    assert worker.wait() == 0
    assert worker.facts("ended") == [task]


def test_inspection_never_fails_while_tasks_come_and_go(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, concurrency=20)
    inspect = worker.producer.control.inspect([worker.name], timeout=60)
    sent = 0
    for _ in range(10):
        for _ in range(100):
            worker.send("empty")
        sent += 100
        for asked in (inspect.active, inspect.reserved, inspect.stats):
            answer = (asked() or {})[worker.name]
            assert "error" not in answer

    def done() -> int:
        stats = (inspect.stats() or {})[worker.name]
        return sum(stats["total"].values())

    worker.wait_until(lambda: done() == sent, "all of them")
    assert "Control command error" not in worker.log


def scheduled(worker: WorkerProcess) -> list[str]:
    inspect = worker.producer.control.inspect([worker.name], timeout=60)
    found = (inspect.scheduled() or {})[worker.name]
    return [each["request"]["id"] for each in found]


def wait_for_queues(worker: WorkerProcess, names: set[str]) -> None:
    inspect = worker.producer.control.inspect([worker.name], timeout=60)

    def are_read() -> bool:
        queues = (inspect.active_queues() or {})[worker.name]
        return {queue["name"] for queue in queues} == names

    worker.wait_until(are_read, f"{names} consumed")


def until_nobody_reads(queue: str, worker: WorkerProcess) -> list[str]:
    """The tasks that show it: a round trip that was under way is over when the next one is."""
    tasks = []
    for _ in range(2):
        tasks.append(worker.send("nap", 0))
        worker.wait_until(lambda: tasks[-1] in worker.facts("ended"), "a round trip")
    url = worker.producer.conf.broker_url
    worker.wait_until(lambda: readers(url, queue) == 0, "reader to leave")
    return tasks


def send_to(queue: str, worker: WorkerProcess) -> str:
    with Connection(worker.producer.conf.broker_url) as connection:
        Queue(queue, routing_key=queue)(connection.default_channel)
        sent = worker.producer.send_task(
            f"{MODULE}.nap",
            (0,),
            connection=connection,
            exchange=queue,
            routing_key=queue,
            queue=None,
            retry=False,
        )
    return str(sent.id)
