"""Looking into a queue and putting things there, without any of the product's code."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from kombu import Connection, Consumer, Message, Producer, Queue
from redis import Redis

from shared.settings.servers import BrokerSettings


def drain(broker: BrokerSettings, queue: str) -> list[Message]:
    """Takes every message off the queue, until none has come for a while."""
    taken: list[Message] = []
    # kombu's close waits until Redis has answered that nothing came, after a second otherwise.
    options = {"polling_interval": 0.1} if broker.is_redis else {}
    opened = Connection(str(broker.url), transport_options=options)
    with opened as connection, connection.channel() as channel:
        known = Queue(queue, no_declare=True)
        consumer = Consumer(channel, [known], on_message=taken.append, no_ack=True)
        with consumer, contextlib.suppress(TimeoutError):
            while True:
                connection.drain_events(timeout=0.3)
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


def body_of(message: Message) -> Any:
    """The message's JSON."""
    return json.loads(message.body)
