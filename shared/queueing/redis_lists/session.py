"""Trips to the broker's Redis: fetching, settling and waiting for one consumer."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from time import time
from typing import Any, Final, NamedTuple

import msgspec
from hiredis import pack_command
from kombu import Connection as KombuConnection
from kombu.utils.json import dumps
from redis.asyncio.connection import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ResponseError

from shared.queueing.broker_address import BrokerAddress
from shared.queueing.redis_lists.keys import KombuKeys
from shared.redis.connection import KeepingPool, tell_resets
from shared.redis.encryption import redis_encryption
from shared.redis.scripts import LuaScript, load_script

_PACKAGE: Final = "shared.queueing.redis_lists"
_WAIT_SECONDS: Final = 2.0
_MOST_CONNECTIONS: Final = 50


_record: Final = msgspec.json.Decoder(tuple[msgspec.Raw, str, str])
"""An element, and where it goes back to: the default exchange and its queue."""


class Waiting(NamedTuple):
    """An element of a list; `tag` is empty while it still lies there."""

    queue: str
    tag: str
    element: bytes
    list_name: str


class Fetch(NamedTuple):
    """What one trip brought, and how many were left waiting."""

    found: list[Waiting]
    left: int


class Returned(NamedTuple):
    """A message on its way back: the record of `tag` goes, `element` is pushed."""

    tag: str
    element: bytes
    list_name: str


class RedisSession:
    """Each method is one round trip; raises RedisError or OSError."""

    def __init__(self, address: BrokerAddress, keys: KombuKeys, *, patience_seconds: float) -> None:
        self._keys = keys
        self._fetch = load_script(_PACKAGE, "fetch.lua")
        self._take = load_script(_PACKAGE, "take.lua")
        self._give_back = load_script(_PACKAGE, "give_back.lua")
        self._wait_seconds = min(_WAIT_SECONDS, patience_seconds / 2)
        self._pool = KeepingPool(
            connection_class=SSLConnection if address.is_encrypted else Connection,
            max_connections=_MOST_CONNECTIONS,
            host=address.host,
            port=address.port,
            username=address.user or None,
            password=address.password or None,
            db=int(address.virtual_host),
            socket_timeout=patience_seconds,
            socket_connect_timeout=patience_seconds,
            socket_keepalive=True,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            **redis_encryption(address.scheme, address.tls_files),
        )
        tell_resets(self._pool)

    async def exchange(
        self, acknowledged: Sequence[str], queues: Sequence[str], *, most: int, at: float
    ) -> Fetch:
        """Acknowledge these, and pop and record up to `most` that wait. What is not acknowledged
        comes again after the visibility timeout.

        The last of them may still lie in its list: an element that is not plain; see `take`.
        """
        settling: list[tuple[Any, ...]] = []
        if acknowledged:
            # The record first: an index without a record is swept away by any kombu.
            settling = [
                ("HDEL", self._keys.unacked, *acknowledged),
                ("ZREM", self._keys.index, *acknowledged),
            ]
        if most < 1 or not queues:
            await self._ask(settling)
            return Fetch([], 0)
        lists = self._keys.lists(queues)
        words: list[Any] = [at, most, "", ""]
        for queue in queues:
            words += [queue, "," + dumps(["", queue])[1:]]
        left, found = await self._call(self._fetch, lists, words, before=settling)
        fetched = [
            Waiting(queues[place - 1], tag.decode(), element, lists[at - 1])
            for place, tag, element, at in found
        ]
        return Fetch(fetched, left)

    async def recorded(self, at: float) -> list[Waiting]:
        """What was recorded at that moment and is not settled."""
        (tags,) = await self._ask([("ZRANGEBYSCORE", self._keys.index, at, at)])
        if not tags:
            return []
        (records,) = await self._ask([("HMGET", self._keys.unacked, *tags)])
        found = [
            (tag.decode(), *_record.decode(each))
            for tag, each in zip(tags, records, strict=True)
            if each is not None
        ]
        return [Waiting(queue, tag, bytes(element), queue) for tag, element, _, queue in found]

    async def take(self, waiting: Waiting, *, tag: str, record: str, at: float) -> bool:
        """Pop and record this one; False where another reader was first."""
        digest = sha1(waiting.element, usedforsecurity=False).hexdigest()
        words = [at, digest, tag, record]
        return bool(await self._call(self._take, [waiting.list_name], words))

    async def give_back(self, returned: Sequence[Returned], *, first: bool) -> None:
        """Put these back where they came from: to be popped next, in this order, or last."""
        ordered = list(reversed(returned)) if first else list(returned)
        words: list[Any] = ["RPUSH" if first else "LPUSH"]
        for each in ordered:
            words += [each.tag, each.element]
        await self._call(self._give_back, [each.list_name for each in ordered], words)

    async def has_abandoned(self) -> bool:
        """Whether anything was left unacknowledged for longer than the visibility timeout."""
        oldest = time() - self._keys.visibility_seconds
        words = ("ZRANGEBYSCORE", self._keys.index, "-inf", oldest, "LIMIT", 0, 1)
        (found,) = await self._ask([words])
        return bool(found)

    async def wait(self, queue: str) -> bool:
        """Return when something lies in the list, True, or after a while. It stays there."""
        # From its end to its end: nothing moves, and nothing can be lost on the way.
        words = ("BLMOVE", queue, queue, "RIGHT", "RIGHT", self._wait_seconds)
        (found,) = await self._ask([words])
        return found is not None

    async def close(self) -> None:
        await self._pool.aclose()

    async def _call(
        self,
        script: LuaScript,
        lists: Sequence[str],
        words: Sequence[Any],
        *,
        before: Sequence[tuple[Any, ...]] = (),
    ) -> Any:
        keys = (self._keys.unacked, self._keys.index, *lists)
        called = ("EVALSHA", script.sha, len(keys), *keys, *words)
        try:
            *_, found = await self._ask([*before, called])
        except NoScriptError:  # of a server that has forgotten it, and has done nothing
            *_, found = await self._ask([("SCRIPT", "LOAD", script.source), called])
        return found

    async def _ask(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        if not commands:
            return []
        packed = b"".join([pack_command(words) for words in commands])
        replies = await self._pool.ask(packed, replies=len(commands))
        for reply in replies:
            if isinstance(reply, ResponseError):
                raise reply
        return replies


def restore_abandoned(connection: KombuConnection) -> None:
    """Put back what is due again, in a thread, by kombu's own rules, one reader at a time."""
    with connection:
        channel: Any = connection.default_channel
        channel.qos.restore_visible(num=channel.unacked_restore_limit, interval=1)
