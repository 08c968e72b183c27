"""Celery as anybody would use it, with none of the product's code: run as a worker's `-A`.

`FOREBAY_TEST_BROKER` is the broker; the task writes what it was called with to a list in
`FOREBAY_TEST_REDIS`.
"""

from __future__ import annotations

import json
import os

from celery import Celery
from kombu import Queue
from redis import Redis

app = Celery("stock", broker=os.environ["FOREBAY_TEST_BROKER"])
# The queue exists. Of its arguments Celery must know one, or it asks for what quorum queues lack.
app.conf.task_queues = [
    Queue("agent.standard", no_declare=True, queue_arguments={"x-queue-type": "quorum"})
]
app.conf.broker_connection_retry_on_startup = True


@app.task(name="forebay.answer", bind=True)
def answer(self: object, **arguments: str) -> None:
    """Notes its id and its arguments."""
    with Redis.from_url(os.environ["FOREBAY_TEST_REDIS"]) as redis:
        called = {"id": self.request.id, "origin": self.request.origin, **arguments}  # type: ignore[attr-defined]
        redis.rpush("calls", json.dumps(called))
