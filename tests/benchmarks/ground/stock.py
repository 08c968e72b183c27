"""The stock way's processes, started as its guides say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from celery import Celery

from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Broker, Ground

KEY: Final = "benchmark"
TASKS: Final = "tests.benchmarks.stock.tasks"
QUEUE: Final = "stock"

_POOL: Final = {"CELERY_CUSTOM_WORKER_POOL": "shared.pool.pool:AsyncioPool"}


def stock_door(ground: Ground) -> Program:
    """One uvicorn process; its access log is off, as ours has none."""
    command = ["-m", "uvicorn", "tests.benchmarks.stock.door:app"]
    command += ["--port", str(ground.port), "--no-access-log"]
    return Program(command, log=ground.folder / "stock.log", environment=_environment(ground))


def stock_worker(ground: Ground, *, pool: str, concurrency: int, provider_url: str = "") -> Program:
    """One Celery worker with all it sends to its neighbours switched off.

    The pool `custom` is our own, with an application whose tasks are coroutines.
    """
    application = "tests.benchmarks.stock.coroutines" if pool == "custom" else TASKS
    command = ["-m", "celery", "-A", application, "worker", "--pool", pool]
    command += ["--concurrency", str(concurrency), "--loglevel", "WARNING"]
    command += ["--without-mingle", "--without-gossip"]
    environment = {**_environment(ground), "STOCK_PROVIDER": provider_url, **_POOL}
    return Program(command, log=ground.folder / f"{pool}.log", environment=environment)


@contextmanager
def stock_producer(ground: Ground, *, confirms: bool = True) -> Iterator[Celery]:
    """A Celery application that sends, with the confirms that durability needs.

    Only where the sending is not what is measured it may do without them: it is much faster then.
    """
    with Celery("producer", broker=ground.broker_url, set_as_current=False) as app:
        app.conf.task_default_queue = QUEUE
        if ground.broker is Broker.RABBITMQ:
            app.conf.task_default_queue_type = "quorum"
            app.conf.broker_transport_options = {"confirm_publish": confirms}
        yield app


def _environment(ground: Ground) -> dict[str, str]:
    return {
        "STOCK_BROKER": ground.broker_url,
        "STOCK_REDIS": ground.redis_url,
        "STOCK_KEY": KEY,
    }
