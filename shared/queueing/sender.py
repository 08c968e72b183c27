"""A producer's messages onto our queues."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from kombu import Connection
from kombu import Producer as KombuProducer

from shared.errors import BrokerUnavailable
from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.parcel import Parcel
from shared.queueing.refusal import why_broker_refuses
from shared.queueing.topology import EXCHANGE
from shared.settings.secret import Secret
from shared.settings.servers import BrokerSettings
from shared.telemetry.tracing import inject


class Sender:
    """Publishes groups and waits for all their confirms at once."""

    def __init__(self, broker: BrokerSettings, key: Secret) -> None:
        self._broker = broker
        self._key = key
        self._connection: Connection | None = None
        self._channel: Any = None
        self._unconfirmed: set[int] = set()
        self._refused = False

    def send(self, messages: Sequence[Parcel], *, reply_to: str = "") -> None:
        """Returns when the broker has all of them; raises BrokerUnavailable."""
        try:
            self._send(messages, reply_to)
        except BrokerUnavailable:
            # An idle connection may have been closed meanwhile; repeats are harmless.
            self._send(messages, reply_to)

    def close(self) -> None:
        """Disconnects."""
        if self._connection is not None:
            self._connection.collect()
            self._connection = None

    def _send(self, messages: Sequence[Parcel], reply_to: str) -> None:
        connection = self._connection or self._open()
        try:
            if self._channel is None:
                self._open_channel(connection)
            for message in messages:
                self._publish(message, reply_to)
            self._await_confirms(connection)
        except (*connection.connection_errors, *connection.channel_errors) as error:
            was_there = self._channel is not None
            self.close()
            raise BrokerUnavailable(
                f"The broker did not take the message: {error}"
                if was_there
                else why_broker_refuses(error, self._broker, is_in=False)
            ) from error

    def _open(self) -> Connection:
        self._channel = None
        # Confirms are collected below; kombu's own would wait for each message.
        self._connection = connect_broker(
            self._broker,
            patience_seconds=self._broker.publish_timeout_seconds,
            heartbeat_seconds=0,
            **({} if self._broker.is_redis else {"confirm_publish": False}),
        )
        return self._connection

    def _open_channel(self, connection: Connection) -> None:
        dial(connection)
        channel: Any = connection.channel()
        self._unconfirmed = set()
        if not self._broker.is_redis:
            channel.confirm_select()
            channel.events["basic_ack"].add(self._on_ack)
            channel.events["basic_nack"].add(self._on_nack)
        self._channel = channel
        self._published = 0

    def _publish(self, message: Parcel, reply_to: str) -> None:
        authorization = {"authorization": f"Bearer {self._key.reveal()}"}
        KombuProducer(self._channel).publish(
            message.body,
            exchange="" if self._broker.is_redis else EXCHANGE,
            routing_key=message.queue,
            headers={**message.headers, **authorization, **inject()},
            content_type=message.content_type,
            content_encoding=message.content_encoding,
            message_id=message.identifier,
            correlation_id=message.identifier,
            reply_to=reply_to,
            retry=False,
        )
        if not self._broker.is_redis:
            self._published += 1
            self._unconfirmed.add(self._published)

    def _await_confirms(self, connection: Connection) -> None:
        deadline = time.monotonic() + self._broker.publish_timeout_seconds
        while self._unconfirmed:
            connection.drain_events(timeout=max(0.001, deadline - time.monotonic()))
        if self._refused:
            self._refused = False
            raise BrokerUnavailable("The broker refused a message; its queue may be full.")

    def _on_ack(self, tag: int, multiple: bool) -> None:
        settled = {one for one in self._unconfirmed if one <= tag} if multiple else {tag}
        self._unconfirmed -= settled

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused = True
        self._on_ack(tag, multiple)
