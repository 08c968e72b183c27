"""Looking into a queue and putting things there, without any of the product's code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kombu import Connection, Message, Producer
from redis import Redis

from shared.settings.servers import BrokerSettings


def drain(broker: BrokerSettings, queue: str) -> Iterator[Message]:
    """Takes every message off the queue, until it is empty."""
    with Connection(str(broker.url)) as connection, connection.channel() as channel:
        while (taken := channel.basic_get(queue, no_ack=True)) is not None:
            yield taken if broker.is_redis else channel.message_to_python(taken)


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


def push_raw(broker: BrokerSettings, queue: str, element: bytes) -> None:
    """Bytes that are no message at all onto a Redis list."""
    with Redis.from_url(str(broker.url)) as redis:
        redis.lpush(queue, element)


def body_of(message: Message) -> Any:
    """The message's JSON."""
    return json.loads(message.body)
