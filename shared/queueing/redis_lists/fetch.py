"""Many elements of Redis lists in one call of a script that records them as kombu does."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Any, NamedTuple

from kombu.utils.json import dumps
from redis.exceptions import NoScriptError

from shared.redis.scripts import load_script


class Fetched(NamedTuple):
    """An element that has left its list; the record of `tag` is what it comes back from."""

    queue: str
    tag: str
    element: bytes


class Fetching:
    """Fetches what waits behind a message, for kombu's `channel`."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._script = load_script("shared.queueing.redis_lists", "fetch.lua")

    def record_and_fetch(self, message: Any, *, most: int) -> list[Fetched]:
        """Records kombu's `message` as unacknowledged, and up to `most` that wait behind it.

        Those leave their lists in the order in which the channel would have popped them one by
        one; fewer where one waits that cannot be recorded as it is. Popping and recording are one
        step: what is not acknowledged comes again after the visibility timeout. Raises redis-py's
        errors.
        """
        channel = self._channel
        queues = channel._queue_cycle.consume(len(channel.active_queues))
        way = [message.delivery_info["exchange"], message.delivery_info["routing_key"]]
        steps = channel.priority_steps
        lists = [channel._q_for_pri(each, step) for step in steps for each in queues]
        keys = [channel.unacked_key, channel.unacked_index_key, *lists]
        record = dumps([message._raw, *way])
        words = [len(keys), *keys, time(), most, message.delivery_tag, record]
        for queue in queues:
            words += [queue, "," + dumps(["", queue])[1:]]
        return [
            Fetched(queues[place - 1], tag.decode(), element)
            for place, tag, element in self._call(words)
        ]

    def _call(self, words: Sequence[Any]) -> Any:
        """On the connection that answered BRPOP, and once: a second try might fetch twice."""
        try:
            return self._ask("EVALSHA", self._script.sha, *words)
        except NoScriptError:  # of a server that has forgotten it, and has done nothing
            self._ask("SCRIPT LOAD", self._script.source)
            return self._ask("EVALSHA", self._script.sha, *words)

    def _ask(self, command: str, *words: Any) -> Any:
        connection = self._channel.client.connection
        connection.send_command(command, *words)
        return self._channel.client.parse_response(connection, command)
