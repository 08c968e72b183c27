"""The stock Celery application: `celery -A tests.benchmarks.stock.tasks worker`.

Durable as ours is: quorum queue, publisher confirms, acknowledged when done.
"""

from __future__ import annotations

import os
import time

import requests
from celery import Celery
from redis import Redis

QUEUE = "stock"

broker_url = os.environ["STOCK_BROKER"]
app = Celery("stock", broker=broker_url)
app.conf.update(
    task_default_queue=QUEUE,
    task_default_queue_type="quorum" if broker_url.startswith("amqp") else None,
    broker_transport_options={"confirm_publish": True} if broker_url.startswith("amqp") else {},
    # gevent at its best: with the default heartbeat its loop idles between deliveries.
    broker_heartbeat=0,
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
)

replies = Redis.from_url(os.environ["STOCK_REDIS"])
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=2000))


@app.task
def answer(message: dict[str, object]) -> None:
    """Ask the provider, as a synchronous client does."""
    completion = session.post(
        os.environ["STOCK_PROVIDER"] + "/v1/chat/completions",
        json={
            "model": "scripted",
            "messages": [{"role": "user", "content": message["input"]}],
        },
        timeout=30,
    )
    completion.raise_for_status()
    completion.json()


@app.task
def answer_in_time(message: dict[str, object], reply_key: str) -> None:
    """Ask the provider, and tell when it had answered on the key that the caller looks at."""
    answer(message)
    replies.rpush(reply_key, time.time())


@app.task
def empty() -> None:
    """Do nothing."""


@app.task
def echo(reply_key: str) -> None:
    """Answer at once, on the key that the caller waits at."""
    replies.rpush(reply_key, b"done")
