"""Kombu's Redis transport, made to outlive what is no message at all.

On Redis anybody can push any bytes onto a queue's list. Kombu takes the item off the list and then
raises out of the worker's loop, which ends the worker; the item is gone.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from celery.utils.log import get_logger
from kombu.asynchronous import get_event_loop
from kombu.transport import redis, virtual

logger = get_logger(__name__)

BuryRaw = Callable[[bytes, str], None]


class GuardedQoS(redis.QoS):
    """Acknowledges in groups, and lets a channel close after its connection is lost.

    Kombu makes a round trip for every acknowledgement; here all those of one turn of the hub share
    one. On a lost connection kombu 5.7 ends the worker when the channel closes; here what was not
    acknowledged stays in Redis and is delivered again after the visibility timeout.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._unwritten: list[str] = []

    def ack(self, delivery_tag: str) -> None:
        hub = get_event_loop()
        if hub is None:
            super().ack(delivery_tag)
            return
        if not self._unwritten:
            hub.call_soon(self._write_acknowledgements)
        self._unwritten.append(delivery_tag)
        virtual.QoS.ack(self, delivery_tag)

    def restore_unacked_once(self, stderr: Any = None) -> None:
        if self.channel.connection.client is not None:
            self._write_acknowledgements()
        super().restore_unacked_once(stderr)

    def _write_acknowledgements(self) -> None:
        tags, self._unwritten = self._unwritten, []
        if tags and self.channel.connection is not None:
            with self.pipe_or_acquire() as pipe:
                pipe.zrem(self.unacked_index_key, *tags)
                pipe.hdel(self.unacked_key, *tags)
                pipe.execute()

    def restore_unacked(self, client: object = None) -> None:
        if client is None and self.channel.connection.client is None:
            logger.warning(
                "%s unacknowledged messages come again after the visibility timeout.",
                len(self._delivered or ()),
            )
            return
        super().restore_unacked(client)


class GuardedChannel(redis.Channel):
    """A channel that buries list items that are not JSON."""

    QoS = GuardedQoS
    connection: GuardedTransport

    def _brpop_read(self, **options: object) -> bool | None:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc, no-any-return]
        except json.JSONDecodeError as error:
            self.connection.bury(error.doc.encode(), "the list item is not JSON")
        except UnicodeDecodeError as error:
            self.connection.bury(bytes(error.object), "the list item is not text")
        return True


class GuardedTransport(redis.Transport):
    """A transport that buries list items that are JSON but no envelope of a message."""

    Channel = GuardedChannel
    bury: BuryRaw

    def _deliver(self, message: Any, queue: Any) -> None:
        complaint = _complaint_about(message)
        if complaint is None:
            super()._deliver(message, queue)
        else:
            self.bury(json.dumps(message, default=repr).encode(), complaint)


def guarded_transport(bury: BuryRaw) -> type[GuardedTransport]:
    """A transport class that hands what it cannot deliver to `bury(item, why)`."""
    return type("GuardedRedisTransport", (GuardedTransport,), {"bury": staticmethod(bury)})


def _complaint_about(envelope: object) -> str | None:
    if not isinstance(envelope, dict):
        return "the list item is not an envelope"
    properties = envelope.get("properties")
    if not isinstance(properties, dict) or not isinstance(properties.get("delivery_tag"), str):
        return "the envelope has no delivery tag"
    route = properties.get("delivery_info")
    if not isinstance(route, dict) or not {"exchange", "routing_key"} <= route.keys():
        return "the envelope does not say its exchange and routing key"
    if not isinstance(envelope.get("headers") or {}, dict):
        return "the envelope's headers are not a table"
    return _complaint_about_body(envelope.get("body"), properties.get("body_encoding"))


def _complaint_about_body(body: object, encoding: object) -> str | None:
    if body is not None and not isinstance(body, str):
        return "the envelope's body is not a text"
    if encoding not in (None, "base64"):
        return "the envelope's body encoding is unknown"
    if body and encoding:
        try:
            base64.b64decode(body)
        except binascii.Error:
            return "the envelope's body is not base64"
    return None
