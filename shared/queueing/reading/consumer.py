"""Consuming on the event loop: what a worker asks of the reader of its queues."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol

from kombu import Connection, Message, Queue

Connect = Callable[[], Connection]
"""Gives a lazy kombu connection to the broker; it is opened in a thread."""

_GOODBYE_SECONDS: Final = 2.0
STEADY_SECONDS: Final = 5.0
"""A queue that is lost sooner after it was opened is opened again a little later each time."""


class ConsumerEvents(Protocol):
    """Whoever is told what a consumer took. Called on the event loop; raises nothing."""

    def on_message(self, message: Message) -> None:
        """One message was delivered; it is this one's now, until it is acknowledged or rejected."""

    def on_lost(self) -> None:
        """The broker takes back what was delivered and not settled, and delivers it again."""


class QueueConsumer(Protocol):
    """Delivers messages of queues, up to a prefetch, whatever becomes of the broker.

    All of it is for the event loop. An acknowledgement that the broker did not get makes a
    message come again. `opened` is set, for any thread, once its queues were declared and read.
    """

    opened: threading.Event

    def start(self) -> None:
        """Connect, declare and consume; a broker that is away is looked for."""

    def consume(self, queue: Queue) -> None:
        """Read this queue too."""

    def cancel(self, name: str) -> None:
        """Read the queue of this name no longer; what was delivered stays delivered."""

    def set_prefetch(self, count: int) -> None:
        """At most so many unsettled messages of each queue; 0 is no limit."""

    def hold(self, more: int) -> None:
        """So many more (or less) of the unsettled are held for later, and need not count.

        On RabbitMQ they do count: a consumer keeps the prefetch that it began with.
        """

    async def may_others_idle(self, name: str) -> bool | None:
        """Whether another reader of this queue may have nothing to do: none of it waits there.

        None where it is not read here.
        Where the broker goes away it raises BrokerUnavailable, or never returns.
        """

    async def close(self) -> None:
        """Settle what is settled, give back what is not, and disconnect. Never raises."""


def declare_queues(connection: Connection, queues: list[Queue]) -> None:
    """In a thread. Leaves the connection closed and its address that of a broker that answered."""
    try:
        connection.ensure_connection(
            max_retries=1, interval_start=0, interval_step=0, reraise_as_library_errors=False
        )
        with connection.channel() as channel:
            for queue in queues:
                queue(channel).declare()
    finally:
        connection.collect(socket_timeout=_GOODBYE_SECONDS)
