"""Tasks run side by side, each with its own request."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.integration.worker_pool.conftest import StartWorker
from tests.integration.worker_pool.worker_process import MODULE


def test_many_coroutines_run_at_once_in_one_process(
    broker_url: str, start_worker: StartWorker, gate: Path
) -> None:
    worker = start_worker(broker_url, concurrency=200)
    ids = {worker.send("held", str(gate)) for _ in range(200)}
    assert set(worker.wait_for_facts("began", 200)) == ids
    gate.touch()
    assert set(worker.wait_for_facts("ended", 200)) == ids
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert worker.facts("opened") == worker.facts("closed") == ["-"]


def test_each_coroutine_sees_its_own_request(redis_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(redis_url)
    for number in range(40):
        worker.send("identify", str(number))
    assert worker.wait_for_facts("identified", 40) == ["True"] * 40


def test_no_more_run_at_once_than_the_concurrency(amqp_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(amqp_url, concurrency=2, options=("--prefetch-multiplier", "4"))
    for _ in range(6):
        worker.send("nap", 0.1)
    worker.wait_for_facts("ended", 6)
    running = most = 0
    for line in worker.facts_in_order():
        running += {"began": 1, "ended": -1}.get(line.split()[0], 0)
        most = max(most, running)
    assert most == 2


def test_a_plain_function_runs_beside_the_coroutines(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url)
    for _ in range(4):
        worker.send("plain")
    worker.wait_for_facts("plain", 4)


def test_a_rate_limit_spaces_coroutines(redis_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(redis_url)
    for _ in range(6):
        worker.send("rationed")
    first, *_, last = worker.wait_for_facts("rationed", 6)
    assert float(last) - float(first) > 0.8, "two a second, of which the first may be noted late"


def test_what_is_to_follow_a_task_is_buried_with_it(
    broker_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(broker_url, POOL_HOOK="1")
    nap = worker.producer.signature(f"{MODULE}.nap", args=(0,), immutable=True)
    (nap | nap).apply_async()
    nap.apply_async(link=nap)
    nap.apply_async(link_error=nap)
    buried = worker.wait_for_facts("buried", 3)
    asked = [about.split("asks for a ")[1].split(",")[0] for about in buried]
    assert sorted(asked) == ["chain", "link", "link_error"]
    assert all(about.startswith("invalid ") for about in buried)
    survivor = worker.send("nap", 0)
    assert worker.wait_for_facts("ended") == [survivor], "none of the others has begun"


def test_a_task_that_exits_fails_alone(redis_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(redis_url)
    worker.send("leave")
    worker.wait_for_log("the task raised SystemExit(3)")
    worker.send("nap", 0)
    worker.wait_for_facts("ended")


def test_a_rejected_message_is_delivered_again(amqp_url: str, start_worker: StartWorker) -> None:
    worker = start_worker(amqp_url)
    task = worker.send("give_back")
    worker.wait_for_facts("accepted")
    assert worker.facts("delivered") == [task, task]
