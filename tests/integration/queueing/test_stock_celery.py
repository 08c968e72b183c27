"""A plain Celery worker and a plain Celery producer understand us."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from celery import Celery
from kombu import Queue
from redis import Redis

from shared.messages.lane import Lane
from shared.messages.record import MessageRecord, ReplyShape
from shared.queueing.answers.answers import response_answer
from shared.queueing.celery_app import build_celery_app
from shared.queueing.publisher import Publisher
from shared.settings.servers import BrokerSettings
from shared.settings.settings import Settings
from tests.integration.queueing.conftest import eventually, wake_up
from tests.integration.queueing.intake_door import IntakeDoor
from tests.servers.process import ChildProcess

ROOT = Path(__file__).parents[3]


@pytest.fixture
def stock_worker(
    broker: BrokerSettings, redis_url: str, tmp_path: Path
) -> Iterator[Callable[[], ChildProcess]]:
    """Starts a stock worker."""
    started: list[ChildProcess] = []

    def start() -> ChildProcess:
        worker = ChildProcess(
            command=[
                *(sys.executable, "-m", "celery", "-A", "tests.integration.queueing.stock_celery"),
                *("worker", "--pool", "prefork", "-c", "1", "-E", "-n", "stock@here"),
            ],
            log=tmp_path / "worker.log",
            environment={
                "PYTHONPATH": str(ROOT),
                "FOREBAY_TEST_BROKER": str(broker.url),
                "FOREBAY_TEST_REDIS": redis_url,
            },
        )
        worker.spawn()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()


async def test_a_stock_worker_executes_a_wake_up(
    stock_worker: Callable[[], ChildProcess],
    publisher: Publisher,
    broker: BrokerSettings,
    redis_url: str,
) -> None:
    sent = wake_up(Lane.STANDARD)
    # On RabbitMQ a bundle, of which it runs the first; the reconciler wakes a worker for the rest.
    await publisher.publish([sent] if broker.is_redis else [sent, wake_up(Lane.STANDARD)])
    stock_worker()
    with Redis.from_url(redis_url) as redis:
        await eventually(lambda: redis.llen("calls"))
        [call] = [json.loads(one) for one in redis.lrange("calls", 0, -1)]
    assert call["id"] == call["message_id"] == sent.message_id
    assert call["lane"] == "standard"
    control = build_celery_app(Settings(broker=broker), name="inspector").control
    inspect = control.inspect(timeout=60, limit=1)
    # A child of the worker runs it and may be heard of later than the task itself.
    while not (total := (await asyncio.to_thread(inspect.stats))["stock@here"]["total"]):
        pass
    assert total == {"forebay.answer": 1}


async def test_a_stock_producer_gets_its_answer_from_an_rpc_backend(door: IntakeDoor) -> None:
    producer = Celery("producer", broker=str(door.broker.url), backend="rpc://")
    sent = await asyncio.to_thread(
        lambda: producer.send_task(
            "forebay.intake",
            kwargs={"input": "What is the capital of France?"},
            queue=Queue("intake", no_declare=True),
            headers=door.authorization,
        )
    )
    record = await _accepted(door)
    assert record.reply_shape is ReplyShape.CELERY
    await door.answers.send(
        response_answer(
            msgspec.json.encode({"id": record.id, "output_text": "Paris"}),
            reply_to=record.reply_to or "",
            correlation_id=record.reply_correlation or "",
            shape=ReplyShape.CELERY,
        )
    )
    answer: Any = await asyncio.to_thread(lambda: sent.get(timeout=60))
    assert answer == {"id": record.id, "output_text": "Paris"}


async def test_a_stock_producer_hears_why_it_was_refused(door: IntakeDoor) -> None:
    producer = Celery("producer", broker=str(door.broker.url), backend="rpc://")
    sent = await asyncio.to_thread(
        lambda: producer.send_task(
            "forebay.intake",
            kwargs={"input": "Hello", "temprature": 1},
            queue=Queue("intake", no_declare=True),
            headers=door.authorization,
        )
    )
    with pytest.raises(Exception, match="temprature") as raised:
        await asyncio.to_thread(lambda: sent.get(timeout=60))
    assert type(raised.value).__name__ == "MessageRefused"


async def _accepted(door: IntakeDoor) -> MessageRecord:
    async with asyncio.timeout(60):
        while not (records := await door.accepted()):  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.02)
    return records[0]
