"""Putting a message onto the queue `dead`, with its reason."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

from kombu import Connection, Producer

from shared.errors import BrokerUnavailable
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.topology import DEAD_EXCHANGE, QueueName
from shared.settings.servers import BrokerSettings

REASON_HEADER: Final = "x-forebay-reason"
DETAIL_HEADER: Final = "x-forebay-detail"
QUEUE_HEADER: Final = "x-forebay-queue"
BODY_LIMIT_BYTES: Final = 65_536
_ID_LIMIT: Final = 255
_DETAIL_LIMIT: Final = 1_000


class DeadLetterSink:
    """Blocking, for threads without an event loop; safe to share between them.

    After `bury` returned, the message is safe with the broker and its first delivery may be
    acknowledged.
    """

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def bury(
        self,
        body: bytes,
        headers: Mapping[str, Any],
        reason: str,
        *,
        detail: str = "",
        queue: str = "",
        message_id: str = "",
    ) -> None:
        """Keeps the first 64 KiB of `body` under `reason`, a value of DeadReason.

        Raises BrokerUnavailable when the broker does not confirm within about twice its timeout.
        """
        marked = {
            **headers,
            REASON_HEADER: reason,
            DETAIL_HEADER: detail[:_DETAIL_LIMIT],
            QUEUE_HEADER: queue,
        }
        first = body[:BODY_LIMIT_BYTES]
        with self._lock:
            try:
                self._publish(first, marked, message_id)
            except BrokerUnavailable:
                # An idle connection may have been closed by the broker: once more on a fresh one.
                self._publish(first, marked, message_id)

    def close(self) -> None:
        """Disconnects; a later `bury` connects again."""
        with self._lock:
            self._disconnect()

    def _publish(self, body: bytes, headers: dict[str, Any], message_id: str) -> None:
        connection = self._connection or self._connect()
        try:
            dial(connection)
            with connection.channel() as channel:
                Producer(channel).publish(
                    body,
                    exchange="" if self._broker.is_redis else DEAD_EXCHANGE,
                    routing_key=QueueName.DEAD.value,
                    headers=headers,
                    message_id=message_id[:_ID_LIMIT],
                    content_type="application/octet-stream",
                    content_encoding="binary",
                    retry=False,
                )
        except (*connection.connection_errors, *connection.channel_errors) as error:
            self._disconnect()
            raise BrokerUnavailable(f"The dead letter was not taken: {error}") from error

    def _connect(self) -> Connection:
        patience = self._broker.publish_timeout_seconds
        # No heartbeat: nobody would send it while there is nothing to bury.
        self._connection = connect_broker(
            self._broker, patience_seconds=patience, heartbeat_seconds=0
        )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.collect()
            self._connection = None
