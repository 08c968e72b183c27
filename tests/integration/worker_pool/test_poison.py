"""No message ends a worker: each kind is buried with its reason and the next task runs."""

from __future__ import annotations

import json
from typing import Any

from kombu import Connection, Exchange, Queue
from redis import Redis

from tests.integration.worker_pool.conftest import StartWorker
from tests.integration.worker_pool.worker_process import MODULE

TRIPLE = json.dumps([[], {}, {}])
HEADERS = {"task": f"{MODULE}.empty", "id": "some-id", "lang": "py"}
JSON = {"content_type": "application/json", "content_encoding": "utf-8"}
PICKLE = {**JSON, "content_type": "application/x-python-serialize"}

Poisons = dict[str, tuple[str, dict[str, Any], dict[str, str], str]]
ROUTE = {"exchange": "pool", "routing_key": "pool"}
ENVELOPE = {
    "properties": {"delivery_tag": "1", "body_encoding": "base64", "delivery_info": ROUTE},
    "headers": HEADERS,
}
GARBAGE = [
    b"\xff\xfe not text",
    b"not json at all",
    b"12",
    b"{}",
    json.dumps({**ENVELOPE, "body": "!"}).encode(),
    json.dumps({**ENVELOPE, "body": 5}).encode(),
    json.dumps({**ENVELOPE, "headers": [1]}).encode(),
    json.dumps({"properties": {"delivery_tag": "1", "delivery_info": 1}}).encode(),
]
POISONS: Poisons = {
    "not JSON": ("{no json", HEADERS, JSON, "malformed"),
    "no id": (TRIPLE, {"task": f"{MODULE}.empty"}, JSON, "malformed"),
    "body not a triple": ('{"hello": 1}', HEADERS, JSON, "malformed"),
    "keywords not a table": ("[[], [], {}]", HEADERS, JSON, "malformed"),
    "bad timelimit": (TRIPLE, {**HEADERS, "timelimit": 7}, JSON, "malformed"),
    "bad timelimit text": (TRIPLE, {**HEADERS, "timelimit": ["a", None]}, JSON, "malformed"),
    "bad eta": (TRIPLE, {**HEADERS, "eta": "tomorrow"}, JSON, "malformed"),
    "bad expiry": (TRIPLE, {**HEADERS, "expires": {}}, JSON, "malformed"),
    "bad retries and group": (TRIPLE, {**HEADERS, "stamped_headers": 5}, JSON, "malformed"),
    "unknown task": (TRIPLE, {**HEADERS, "task": "nobody.knows"}, JSON, "unknown_task"),
    "plain JSON without headers": ('{"hello": 1}', {}, JSON, "malformed"),
    "pickle": (
        "x",
        HEADERS,
        {**JSON, "content_type": "application/x-python-serialize"},
        "malformed",
    ),
    "unknown compression": (TRIPLE, {**HEADERS, "compression": "magic"}, JSON, "malformed"),
    "untrue compression": (TRIPLE, {**HEADERS, "compression": "gzip"}, JSON, "malformed"),
    "a task of Celery's own": (TRIPLE, {**HEADERS, "task": "celery.map"}, JSON, "unknown_task"),
    "10 MB": (json.dumps([["x" * 10_000_000], {}, {}]), HEADERS, JSON, "too_large"),
}


def test_every_poison_is_handed_to_the_hook_and_the_worker_goes_on(
    broker_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(broker_url, POOL_HOOK="1")
    for number, (body, headers, properties, reason) in enumerate(POISONS.values(), 1):
        publish(broker_url, body, headers, properties)
        buried = worker.wait_for_facts("buried", number)[-1]
        assert buried.startswith(f"{reason} {min(len(body), 65_536)} "), buried
    survivor = worker.send("nap", 0)
    assert worker.wait_for_facts("ended") == [survivor]
    assert len(worker.facts("buried")) == len(POISONS), "buried once, and acknowledged"


def test_without_a_hook_rabbitmq_dead_letters_the_message(
    amqp_url: str, start_worker: StartWorker
) -> None:
    grave = Queue("grave", Exchange("graves", "fanout"))
    with Connection(amqp_url) as connection:
        grave(connection.default_channel).declare()
        mourned = Queue(
            "pool",
            Exchange("pool"),
            "pool",
            queue_arguments={
                "x-dead-letter-exchange": "graves",
            },
        )
        mourned(connection.default_channel).declare()
        worker = start_worker(amqp_url, POOL_DEAD_LETTERS="graves")
        publish(amqp_url, "{no json", HEADERS, JSON)
        worker.wait_for_log("Poison message buried: malformed")
        worker.wait_until(lambda: grave(connection.default_channel).get(no_ack=True), "a corpse")


def test_list_items_on_redis_that_are_no_messages_are_buried(
    redis_url: str, start_worker: StartWorker
) -> None:
    worker = start_worker(redis_url, POOL_HOOK="1")
    client = Redis.from_url(redis_url)
    for number, item in enumerate(GARBAGE, 1):
        client.lpush("pool", item)
        assert worker.wait_for_facts("buried", number)[-1].startswith("malformed ")
    survivor = worker.send("nap", 0)
    assert worker.wait_for_facts("ended") == [survivor]


def publish(url: str, body: str, headers: dict[str, Any], properties: dict[str, str]) -> None:
    """Put a message onto the queue as any producer could, past Celery."""
    with Connection(url) as connection, connection.channel() as channel:
        message = channel.prepare_message(
            body, headers=headers, properties={"delivery_mode": 2}, **properties
        )
        channel.basic_publish(message, exchange="", routing_key="pool")
