"""A day with more of the same traffic."""

from __future__ import annotations

from collections.abc import Iterator
from math import floor
from random import Random
from typing import Final

from msgspec.structs import replace

from deploy.replay.day.recorded_day import RecordedDay, RecordedMessage

_SPREAD_SECONDS: Final = 30.0
"""Copies come so much before or after: at the very moment they would be one burst."""


def multiplied(day: RecordedDay, times: float, *, seed: int = 0) -> RecordedDay:
    """Each message so often; of the part that is left over each has its chance.

    Copies are of other users of the same tenant, who ask their own questions: the more there is,
    the more a tenant's limits bind, and hits of the cache stay the part that they were.
    """
    random = Random(seed)
    messages = [
        copy for each in day.messages for copy in _copies(each, times, day=day, random=random)
    ]
    messages.sort(key=lambda each: each.at)
    return replace(day, messages=messages, limits=None)


def _copies(
    message: RecordedMessage, times: float, *, day: RecordedDay, random: Random
) -> Iterator[RecordedMessage]:
    whole = floor(times)
    number = whole + (random.random() < times - whole)
    for copy in range(number):
        yield message if copy == 0 else _copy(message, copy, day, random)


def _copy(message: RecordedMessage, copy: int, day: RecordedDay, random: Random) -> RecordedMessage:
    later = random.uniform(-_SPREAD_SECONDS, _SPREAD_SECONDS)
    at = message.at + later
    if not day.began <= at <= day.ended:
        at = min(max(message.at - later, day.began), day.ended)
    return replace(
        message,
        id=f"{message.id}#{copy}",
        at=at,
        deadline=message.deadline + at - message.at,
        user=None if message.user is None else f"{message.user}#{copy}",
        key=None if message.key is None else f"{message.key}#{copy}",
        source=None if message.source is None else f"{message.source}#{copy}",
    )
