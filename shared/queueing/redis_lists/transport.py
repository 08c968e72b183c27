"""kombu's Redis transport, hardened against foreign elements and lost connections, and in groups.

Anybody can push any bytes onto a list. kombu pops an element and then takes it apart; one that is
not what it expects raises in the reader, after the element is gone, and ends a worker. Here every
element passes `sound_envelope` first.

kombu pops one element at a time and writes it down in a round trip of its own. Here what waits
behind a message comes with the round trip that writes it down (see `elements.py`).
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final, cast

from kombu.transport import redis as kombu_redis
from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads
from redis import Redis

from shared.queueing.reading.delivery import COMPRESSION_HEADER
from shared.queueing.redis_lists.elements import Fetched, Fetching, sound_envelope
from shared.telemetry.logs import get_logger

_PRIORITY_MARK: Final = b"\x06\x16"
"""kombu's: what follows it in a list's name is a priority."""

_GROUP_LIMIT: Final = 64
"""How many messages one round trip may bring."""


class _GuardedRedis(Redis):
    """Answers BRPOP and RPOP of a queue with a sound envelope, whatever was in the list."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        reply = super().parse_response(  # type: ignore[no-untyped-call]
            connection, command_name, **options
        )
        if command_name == "BRPOP" and reply:
            key, element = reply
            return key, sound_envelope(element, key.partition(_PRIORITY_MARK)[0].decode())
        return reply

    def rpop(self, name: Any, count: int | None = None) -> Any:
        element = super().rpop(name, count)
        return sound_envelope(cast(bytes, element), name) if element and count is None else element


class PackedMessage(virtual.Message):  # type: ignore[misc,unused-ignore]
    """A message whose body stays compressed until its reader unpacks it within a limit."""

    def __init__(self, payload: dict[str, Any], channel: Any = None, **options: Any) -> None:
        headers = dict(payload.get("headers") or {})
        packed = headers.pop(COMPRESSION_HEADER, None)
        super().__init__({**payload, "headers": headers}, channel, **options)
        # What is put back must be what came.
        self._raw = payload
        self.compression = packed


class GuardedQoS(kombu_redis.QoS):  # type: ignore[misc,unused-ignore]
    """Lets a channel close after its connection is lost.

    kombu 5.7 raises then; here what was not acknowledged stays in Redis and comes again after the
    visibility timeout.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fetching = Fetching(self.channel)
        self._recorded: set[str] = set()
        self.fetches = False
        self.fetched: deque[Fetched] = deque()

    def append(self, message: virtual.Message, delivery_tag: str) -> None:
        if delivery_tag in self._recorded:
            self._recorded.discard(delivery_tag)
        elif self.fetches:
            self.fetches = False
            self._record_and_fetch(message)
        else:
            super().append(message, delivery_tag)
            return
        virtual.QoS.append(self, message, delivery_tag)

    def _record_and_fetch(self, message: virtual.Message) -> None:
        group = _GROUP_LIMIT
        if self.prefetch_count:
            group = min(group, self.can_consume_max_estimate())
        fetched = self._fetching.record_and_fetch(message, most=max(group - 1, 0))
        for each in fetched:
            self._recorded.add(each.tag)
            # Delivered from now on: it counts, and a channel that closes puts it back.
            virtual.QoS.append(self, None, each.tag)
        self.fetched += fetched

    def forget_unless_taken(self, tag: str) -> None:
        """Acknowledges what was fetched under `tag` if its reader has not appended it as that.

        Such a reader takes without acknowledging, or was given an envelope with another tag.
        """
        if tag in self._recorded:
            self._recorded.discard(tag)
            self.ack(tag)

    def restore_unacked(self, client: object = None) -> None:
        if client is None and self.channel.connection.client is None:
            get_logger(__name__).warning(
                "unacknowledged messages come again after the visibility timeout",
                messages=len(self._delivered or ()),
            )
            return
        super().restore_unacked(client)


class GuardedChannel(kombu_redis.Channel):  # type: ignore[misc,unused-ignore]
    """kombu's channel on the guarded client, which delivers in groups."""

    QoS = GuardedQoS
    Message = PackedMessage

    def _brpop_read(self, **options: Any) -> bool:
        qos = cast(GuardedQoS, self.qos)
        # What is answered after the last queue was cancelled goes back, and nothing comes with it.
        qos.fetches = bool(self.active_queues) and not self._closing  # type: ignore[attr-defined]  # the stubs leave it out
        try:
            super()._brpop_read(**options)  # type: ignore[misc]
        finally:
            qos.fetches = False
        while qos.fetched:
            self._deliver_fetched(qos.fetched.popleft())
        return True

    def _deliver_fetched(self, fetched: Fetched) -> None:
        self._queue_cycle.rotate(fetched.queue)  # type: ignore[attr-defined]
        envelope = loads(bytes_to_str(sound_envelope(fetched.element, fetched.queue)))
        self.connection._deliver(envelope, fetched.queue)
        cast(GuardedQoS, self.qos).forget_unless_taken(fetched.tag)

    def _get_client(self) -> type[Redis]:
        super()._get_client()  # type: ignore[misc]  # the stubs leave it out
        return _GuardedRedis


class GuardedTransport(kombu_redis.Transport):  # type: ignore[misc,unused-ignore]
    """For kombu connections of ours and of the Celery worker."""

    Channel = GuardedChannel
    # A channel that closes waits until Redis has answered that nothing came.
    brpop_timeout = 0.5  # type: ignore[assignment,unused-ignore]  # the stubs want whole seconds
