"""A broker restarts under running coroutines."""

from __future__ import annotations

import re
from pathlib import Path

from tests.integration.worker_pool.conftest import StartWorker
from tests.integration.worker_pool.worker_process import WorkerProcess
from tests.servers.rabbitmq import RabbitServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server


def test_the_worker_outlives_a_restart_of_rabbitmq(
    mortal_rabbitmq: RabbitServer, amqp_url: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(amqp_url)
    survives_restart(worker, mortal_rabbitmq, tmp_path)


def test_the_worker_outlives_a_restart_of_redis(
    own_redis: RedisServer, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(own_redis.url)
    survives_restart(worker, own_redis, tmp_path)


def test_a_broker_that_is_away_is_looked_for_every_two_seconds_however_long(
    own_redis: RedisServer, start_worker: StartWorker
) -> None:
    worker = start_worker(own_redis.url)
    own_redis.kill()

    def waits() -> list[float]:
        return [float(told) for told in re.findall(r"Trying again in ([\d.]+) second", worker.log)]

    # Celery's own third one waits six.
    worker.wait_until(lambda: len(waits()) >= 3, "3 tries")
    assert max(waits()) <= 2
    own_redis.start()
    after = worker.send("nap", 0)
    worker.wait_until(lambda: after in worker.facts("ended"), "a task after the outage")


def survives_restart(worker: WorkerProcess, server: Server, folder: Path) -> None:
    away, back = folder / "away", folder / "back"
    running = {worker.send("held", str(gate)) for gate in (away, back) for _ in range(10)}
    worker.wait_for_facts("began", 20)
    server.kill()
    worker.wait_for_log("Connection to broker lost")
    away.touch()
    worker.wait_for_facts("ended", 10)
    server.start()
    back.touch()
    worker.wait_until(lambda: running <= set(worker.facts("ended")), "20 ends")
    assert worker.facts("cancelled") == []
    after = worker.send("nap", 0)
    worker.wait_until(lambda: after in worker.facts("ended"), "a task after the restart")
    assert worker.process.poll() is None
