"""A reader of Redis lists over the transport of ours, and plain kombu that comes after it.

As a program it reads so many from a queue, says so and waits to be killed: URL QUEUE PREFETCH.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from typing import Final

from kombu import Connection, Consumer, Exchange, Message, Queue
from redis import Redis

from shared.queueing.broker_connection import connect_broker
from shared.queueing.redis_lists.envelope import kombu_envelope
from shared.settings.servers import BrokerSettings
from tests.integration.queueing.conftest import broker_at

QUEUE: Final = "agent.standard"


class Listener:
    """Keeps what it was given, and acknowledges nothing by itself."""

    def __init__(
        self, connection: Connection, *queues: str, prefetch: int = 0, no_ack: bool = False
    ) -> None:
        self.taken: list[Message] = []
        self.connection = connection
        self.channel = connection.channel()
        known = [Queue(name, Exchange(""), routing_key=name) for name in queues]
        self.consumer = Consumer(
            self.channel, known, on_message=self.taken.append, prefetch_count=None, no_ack=no_ack
        )
        self.consumer.qos(prefetch_count=prefetch)
        self.consumer.consume()

    @classmethod
    def guarded(cls, settings: BrokerSettings, *queues: str, prefetch: int = 0) -> Listener:
        """One over the transport of ours."""
        return cls(connect_broker(settings), *queues, prefetch=prefetch)

    @property
    def bodies(self) -> list[str]:
        return [bytes(message.body).decode() for message in self.taken]

    def read(self, number: int) -> None:
        """Until it has so many."""
        while len(self.taken) < number:
            self.connection.drain_events(timeout=60)

    def begin_to_wait(self) -> None:
        """Until Redis has been asked for what is not there yet."""
        with contextlib.suppress(TimeoutError):
            self.connection.drain_events(timeout=0.01)

    def read_all(self) -> None:
        """Until none has come for a while."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.connection.drain_events(timeout=0.3)

    def leave(self) -> None:
        """Without putting anything back."""
        self.channel.do_restore = False
        self.connection.collect()


def restored_by_plain_kombu(settings: BrokerSettings, number: int) -> list[bytes]:
    """What lies in the queue, so many, when kombu's own has put back all that is recorded."""
    at_once = {"visibility_timeout": 0}
    with Connection(str(settings.url), transport_options=at_once) as connection:
        listener = Listener(connection, QUEUE, no_ack=True)
        listener.channel.qos.restore_visible(num=None)
        listener.read(number)
        return sorted(bytes(message.body) for message in listener.taken)


def element(body: str, queue: str, **headers: object) -> bytes:
    """A message as any client of kombu pushes it; its body is also its delivery tag."""
    return kombu_envelope(
        body.encode(),
        queue=queue,
        headers={"id": body, **headers},
        correlation_id=body,
        delivery_tag=f"tag-{body}",
    )


def push(lists: Redis, *bodies: str) -> None:
    """One after the other onto the queue."""
    lists.lpush(QUEUE, *[element(body, QUEUE) for body in bodies])


Listen = Callable[..., Listener]


if __name__ == "__main__":
    url, queue, prefetch = sys.argv[1:]
    listener = Listener.guarded(broker_at(url), queue, prefetch=int(prefetch))
    listener.read(int(prefetch))
    print("has read", flush=True)
    time.sleep(600)
