"""Many elements of Redis lists in one call of a script that records them as kombu does."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Any, Final, NamedTuple

from kombu.utils.json import dumps
from redis.exceptions import NoScriptError

from shared.redis.scripts import load_script

_SCRIPT: Final = load_script(__package__, "fetch.lua")


class Fetched(NamedTuple):
    """An element that has left its list; the record of `tag` is what it comes back from."""

    queue: str
    tag: str
    element: bytes


def record_and_fetch(channel: Any, message: Any, *, most: int) -> list[Fetched]:
    """Records kombu's `message` as unacknowledged, and up to `most` that wait behind it.

    Those leave their lists in the order in which kombu's `channel` would have popped them one by
    one; fewer where one waits that cannot be recorded as it is. Popping and recording are one
    step: what is not acknowledged comes again after the visibility timeout. Raises redis-py's
    errors.
    """
    queues = channel._queue_cycle.consume(len(channel.active_queues))
    way = [message.delivery_info["exchange"], message.delivery_info["routing_key"]]
    lists = [channel._q_for_pri(each, step) for step in channel.priority_steps for each in queues]
    keys = [channel.unacked_key, channel.unacked_index_key, *lists]
    record = dumps([message._raw, *way])
    words = [len(keys), *keys, time(), most, message.delivery_tag, record]
    for queue in queues:
        words += [queue, "," + dumps(["", queue])[1:]]
    return [
        Fetched(queues[place - 1], tag.decode(), element)
        for place, tag, element in _call(channel, words)
    ]


def _call(channel: Any, words: Sequence[Any]) -> Any:
    """On the connection that BRPOP was answered on, and once: a second try might fetch twice."""
    try:
        return _ask(channel, "EVALSHA", _SCRIPT.sha, *words)
    except NoScriptError:  # of a server that has forgotten it, and has done nothing
        _ask(channel, "SCRIPT LOAD", _SCRIPT.source)
        return _ask(channel, "EVALSHA", _SCRIPT.sha, *words)


def _ask(channel: Any, command: str, *words: Any) -> Any:
    connection = channel.client.connection
    connection.send_command(command, *words)
    return channel.client.parse_response(connection, command)
