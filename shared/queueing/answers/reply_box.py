"""A queue of a producer's own, for its answers."""

from __future__ import annotations

import time
from typing import Final
from uuid import uuid4

from kombu import Connection, Consumer, Exchange, Message, Queue

from shared.errors import BrokerUnavailable
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.reading.delivery import delivery_of
from shared.queueing.refusal import why_broker_refuses
from shared.settings.servers import BrokerSettings

_EXPIRES_SECONDS: Final = 600
_LISTEN_SECONDS: Final = 1.0


class ReplyBox:
    """Listens to one queue, which outlives restarts of the broker and, for a while, us."""

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._connection: Connection | None = None
        self._received: dict[str, bytes] = {}
        self.name = f"reply.{uuid4().hex}"

    def open(self) -> None:
        """Makes the queue and listens to it; raises BrokerUnavailable."""
        if self._connection is not None:
            return
        connection = connect_broker(
            self._broker, patience_seconds=self._broker.publish_timeout_seconds
        )
        is_in = False
        try:
            dial(connection)
            is_in = True
            consumer = Consumer(
                connection.channel(), [self._queue()], on_message=self._take, no_ack=True
            )
            consumer.consume()
        except (*connection.connection_errors, *connection.channel_errors) as error:
            connection.collect()
            raise BrokerUnavailable(why_broker_refuses(error, self._broker, is_in=is_in)) from error
        self._connection = connection

    def wait(self, correlation_id: str, seconds: float) -> bytes | None:
        """The answer, or None after at most a second: ask again."""
        if correlation_id not in self._received:
            self._listen(min(seconds, _LISTEN_SECONDS))
        return self._received.pop(correlation_id, None)

    def close(self) -> None:
        """Stops listening; what was not read expires with the queue."""
        if self._connection is not None:
            self._connection.collect()
            self._connection = None

    def _queue(self) -> Queue:
        return Queue(
            self.name,
            Exchange(""),
            routing_key=self.name,
            expires=_EXPIRES_SECONDS,
            auto_delete=False,
        )

    def _take(self, message: Message) -> None:
        delivery = delivery_of(message)
        self._received[delivery.correlation_id] = delivery.body

    def _listen(self, seconds: float) -> None:
        try:
            self.open()
            self._drain(seconds)
        except BrokerUnavailable:
            # The answer waits in the queue until the broker is back.
            self.close()
            time.sleep(seconds)

    def _drain(self, seconds: float) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            try:
                connection.drain_events(timeout=seconds)
            except TimeoutError:
                connection.heartbeat_check()
        except (*connection.connection_errors, *connection.channel_errors) as error:
            raise BrokerUnavailable(f"The broker went away: {error}") from error
