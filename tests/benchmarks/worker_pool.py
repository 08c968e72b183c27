"""What an empty task costs in each worker pool: `python -m tests.benchmarks.worker_pool [tasks]`.

Trust the CPU column: it is the worker's whole process family, without its start and end. All pools
are measured in one run, on RabbitMQ and on Redis, so that their ratio means something.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from celery import Celery

from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer

POOLS = (("custom", 500), ("prefork", 2), ("threads", 100), ("gevent", 500))


class Cost(NamedTuple):
    tasks_per_second: float
    cpu_microseconds: float


def main() -> None:
    tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    with RabbitServer() as rabbitmq, RedisServer() as redis:
        for broker, url in (("rabbitmq", rabbitmq.url), ("redis", redis.url)):
            for pool, concurrency in POOLS:
                cost = measure(url, pool, concurrency, tasks=tasks)
                print(
                    f"{broker:9}{pool:8} -c {concurrency:<4}"
                    f"{cost.tasks_per_second:8.0f} tasks/s {cost.cpu_microseconds:8.0f} us CPU/task"
                )


def measure(url: str, pool: str, concurrency: int, *, tasks: int) -> Cost:
    """Run `tasks` empty tasks that wait in the queue, then subtract a run without any."""
    with Celery("producer", broker=url, set_as_current=False) as producer:
        producer.conf.update(task_default_queue="bench", task_default_queue_type="classic")
        _, idle_cpu = run_worker(producer, url, pool, concurrency)
        with producer.producer_pool.acquire(block=True) as publisher:
            for _ in range(tasks):
                producer.send_task("bench.empty", producer=publisher)
        seconds, cpu = run_worker(producer, url, pool, concurrency)
    return Cost(tasks / seconds, (cpu - idle_cpu) / tasks * 1e6)


def run_worker(producer: Celery, url: str, pool: str, concurrency: int) -> tuple[float, float]:
    """Run a worker until the queue is empty: seconds since it was ready, CPU seconds in all."""
    before = _cpu_of_children()
    command = [sys.executable, "-m", "celery", "-A", "tests.benchmarks.worker_pool_application"]
    command += ["worker", "--pool", pool, "--concurrency", str(concurrency)]
    command += ["--without-mingle", "--without-gossip", "--loglevel", "WARNING"]
    environment = {
        **os.environ,
        "POOL_BROKER": url,
        "POOL_NAME": pool,
        "CELERY_CUSTOM_WORKER_POOL": "shared.pool.pool:AsyncioPool",
    }
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(
            command, cwd=Path(__file__).parents[2], env=environment, stdout=log, stderr=log
        )
        began = _wait_until_taken(producer, was_waiting=_depth(producer))
        seconds = time.monotonic() - began
        worker.send_signal(signal.SIGTERM)
        worker.wait(60)
    return seconds, _cpu_of_children() - before


def _wait_until_taken(producer: Celery, *, was_waiting: int) -> float:
    """Return when the queue is empty; give the time when the first message left it."""
    if was_waiting == 0:
        time.sleep(4)  # an idle run is only there for its CPU
        return time.monotonic()
    began = 0.0
    while (waiting := _depth(producer)) > 0:
        if waiting < was_waiting and not began:
            began = time.monotonic()
        time.sleep(0.05)
    return began


def _depth(producer: Celery) -> int:
    with producer.connection_for_read() as connection, connection.channel() as channel:
        queue = producer.amqp.queues["bench"](channel)
        return int(queue.queue_declare().message_count)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
