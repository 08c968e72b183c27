"""Waiting for a response without asking again and again: one pub/sub connection per process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from hiredis import pack_command
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from shared.resilience.kept_running import end_tasks, kept_running

_SUBSCRIBED: Final = b"subscribe"
_SAID: Final = b"message"
_JSON: Final = b"{"
_LINE_END: Final = b"\n"
_MOST_DIGITS: Final = 18
_MOST_TOLD_BYTES: Final = 65_536
"""What one who waits is kept of a stream, until it takes it."""

WAKE_PREFIX: Final = "forebay:wake:"
"""Before a response's id: where whoever waits for it listens."""


def wake_channel(message_id: str) -> str:
    """Where whoever waits for this response listens."""
    return f"{WAKE_PREFIX}{message_id}"


class Listener(Protocol):
    """Who is told what is published on a channel. Neither of the two may raise."""

    def hear(self, said: bytes) -> None:
        """This was published."""

    def look(self) -> None:
        """Something may have been published that was not heard."""


class Wake(asyncio.Event):
    """Set when there may be news, with as much of them as the wake-up told.

    `news` is the event that ended a response of which Redis keeps none; `take` gives events of a
    stream. What is published reads in one of these ways, by its first byte:

        {event}              it has ended so, and nothing is kept of it
        7                    the stream is written up to that number
        7 and lines {event}  the same, and these are the last of it, each on a line of its own
        anything else        look: in the ledger, where it says so

    A door that knows nothing of the lines reads the stream, as this one does where there are none.
    """

    news: bytes = b""

    def __init__(self) -> None:
        super().__init__()
        self._told: list[bytes] = []
        self._told_bytes = 0
        self._last = 0
        """The number of the last event that was told."""

    def hear(self, said: bytes) -> None:
        """Keep what it tells, and wake."""
        if said.startswith(_JSON):
            self.news = said
        elif _LINE_END in said:
            self._keep(said)
        self.set()

    def look(self) -> None:
        """Wake, and know nothing of what was told: there may be more that was not heard."""
        self._forget()
        self.set()

    def take(self, *, after: int) -> list[tuple[int, bytes]]:
        """The events that follow the one numbered `after`, each once.

        None of them where that was not told, or not without a gap: then the stream has them.
        """
        told, first = self._told, self._last - len(self._told) + 1
        self._forget()
        if first > after + 1:
            return []
        return [*enumerate(told[after + 1 - first :], after + 1)]

    def _keep(self, said: bytes) -> None:
        number, *events = said.split(_LINE_END)
        if not number.isdigit() or len(number) > _MOST_DIGITS:
            return
        last = int(number)
        self._told_bytes += len(said)
        # Nobody may be there to take them, and the stream has them all.
        if last - len(events) != self._last or self._told_bytes > _MOST_TOLD_BYTES:
            self._forget()
            self._told_bytes = len(said)
        self._told += events
        self._last = last

    def _forget(self) -> None:
        self._told, self._told_bytes = [], 0


class Wakeups:
    """Turns published wake-ups into asyncio events.

    A wake-up is a hint: it may be lost with Redis or come twice. Whoever listens reads the stream
    and the ledger, and looks by itself once in a while.

    One task owns the connection, which is no one else's: within it one coroutine writes and one
    reads. Whoever listens only notes what it wants, so nothing of Redis' troubles reaches it.
    """

    def __init__(self, redis: Redis, *, retry_seconds: float = 0.5) -> None:
        self._redis = redis
        self._retry_seconds = retry_seconds
        self._listeners: dict[bytes, set[Listener]] = defaultdict(set)
        self._subscribed: set[bytes] = set()
        self._changed: set[bytes] = set()
        self._has_changes = asyncio.Event()
        self._owner: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, message_id: str) -> AsyncIterator[Wake]:
        """An event that is set at each wake-up; whoever waits on it clears it.

        It is set as well as soon as the subscription stands, so that what was published before
        that is looked for. While Redis is away that takes until it is back.
        """
        channel = wake_channel(message_id).encode()
        event = Wake()
        listeners = self._listeners[channel]
        listeners.add(event)
        if channel in self._subscribed:
            event.set()
        if len(listeners) == 1:
            self._note(channel)
        try:
            yield event
        finally:
            listeners.discard(event)
            if not listeners:
                self._listeners.pop(channel, None)
                self._note(channel)

    def attend(self, channel: str, listener: Listener) -> None:
        """Tell the listener what is published there, for as long as this is open.

        It is told to look whenever the subscription stands, anew or for the first time.
        """
        self._listeners[channel.encode()].add(listener)
        self._note(channel.encode())

    async def close(self) -> None:
        """Stop reading; everybody who still listens is woken to look by himself."""
        if self._owner is not None:
            await end_tasks(self._owner)
        self._wake_all()

    def _note(self, channel: bytes) -> None:
        """Somebody began to listen to it, or nobody listens any more."""
        self._changed.add(channel)
        self._has_changes.set()
        if self._owner is None:
            owning = kept_running("wakeups", self._own, pause_seconds=self._retry_seconds)
            self._owner = asyncio.get_running_loop().create_task(owning)

    async def _own(self) -> None:
        while True:
            pool = self._redis.connection_pool
            connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                # Silence is no fault here; and with a time-out redis-py writes under `wait_for`,
                # which in Python 3.11 may swallow the cancellation that ends a session.
                connection.socket_timeout = None
                async with asyncio.timeout(connection.socket_connect_timeout):
                    await connection.connect()  # type: ignore[no-untyped-call]
                await self._serve(connection)
            except* (RedisError, OSError):
                await asyncio.sleep(self._retry_seconds)
            finally:
                await connection.disconnect(nowait=True)

    async def _serve(self, connection: AbstractConnection) -> None:
        """Until the connection breaks, which it raises."""
        self._subscribed.clear()
        self._changed.update(self._listeners)
        self._has_changes.set()
        try:
            async with asyncio.TaskGroup() as session:
                session.create_task(self._tell(connection))
                session.create_task(self._hear(connection))
        finally:
            # What is published until the next one stands is gone, so everybody looks once.
            self._wake_all()

    async def _tell(self, connection: AbstractConnection) -> None:
        """Keep the subscriptions as they are wanted; all that changed at a time travels at once."""
        while True:
            await self._has_changes.wait()
            self._has_changes.clear()
            wanted = {channel for channel in self._changed if channel in self._listeners}
            begun = wanted - self._subscribed
            ended = (self._changed - wanted) & self._subscribed
            self._changed.clear()
            self._subscribed |= begun
            self._subscribed -= ended
            packed = _packed(b"SUBSCRIBE", begun) + _packed(b"UNSUBSCRIBE", ended)
            if packed:
                await connection.send_packed_command(packed, check_health=False)

    async def _hear(self, connection: AbstractConnection) -> None:
        while True:
            kind, channel, said = await connection.read_response(push_request=True)
            if kind not in (_SUBSCRIBED, _SAID):
                continue
            for listener in self._listeners.get(channel, ()):
                if kind == _SAID:
                    listener.hear(said)
                else:
                    listener.look()

    def _wake_all(self) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.look()


def _packed(verb: bytes, channels: set[bytes]) -> bytes:
    return pack_command((verb, *channels)) if channels else b""  # type: ignore[arg-type]  # its stub errs
