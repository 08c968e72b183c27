"""Looking into a queue and putting things there, without any of the product's code."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from kombu import Connection, Message, Producer, Queue
from redis import Redis

from shared.settings.servers import BrokerSettings


def drain(broker: BrokerSettings, queue: str, *, least: int = 0) -> list[Message]:
    """Takes every message off the queue, and what comes in the moment after that.

    With `least` it waits a minute for so many: what nobody confirmed may still be on its way.
    """
    taken: list[Message] = []
    deadline = time.monotonic() + 60
    with Connection(str(broker.url)) as connection, connection.channel() as channel:
        known = Queue(queue, no_declare=True)(channel)
        for is_last in (False, True):
            while True:
                while (message := known.get(no_ack=True)) is not None:
                    taken.append(message)
                if is_last or len(taken) >= least or time.monotonic() > deadline:
                    break
                time.sleep(0.02)
            time.sleep(0.15)
    return taken


def put(
    broker: BrokerSettings,
    queue: str,
    body: bytes | str,
    *,
    headers: Mapping[str, Any] | None = None,
    content_type: str = "application/json",
    **properties: Any,
) -> None:
    """One message onto the queue, as any client of the broker would put it there."""
    with Connection(str(broker.url)) as connection, connection.channel() as channel:
        Producer(channel).publish(
            body,
            exchange="",
            routing_key=queue,
            headers=dict(headers or {}),
            content_type=content_type,
            content_encoding="utf-8",
            **properties,
        )


def put_many(broker: BrokerSettings, queue: str, bodies: Iterable[str]) -> None:
    """Many small messages, one after the other over one connection."""
    with Connection(str(broker.url)) as connection, connection.channel() as channel:
        for body in bodies:
            Producer(channel).publish(body, exchange="", routing_key=queue, content_type="text/x")


def push_raw(broker: BrokerSettings, queue: str, element: bytes) -> None:
    """Bytes that are no message at all onto a Redis list."""
    with Redis.from_url(str(broker.url)) as redis:
        redis.lpush(queue, element)


def woken_by(message: Message) -> list[str]:
    """The ids that it wakes a worker for: one, or those of a bundle."""
    _, kwargs, options = body_of(message)
    return [kwargs["message_id"], *(entry[0] for entry in options.get("bundle", []))]


def body_of(message: Message) -> Any:
    """The message's JSON."""
    return json.loads(message.body)
