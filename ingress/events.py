"""The way out: a response when it is there, or its events one by one, resumable by number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from math import inf
from typing import Final

import msgspec

from ingress.ledger_watch import Watched
from ingress.reply_source import ReplySource
from shared.clock import Clock
from shared.messages.events import (
    CLOSING_TYPES,
    ResponseRequiresAction,
    closing_event,
    encode_event,
    numbered,
    read_event,
    type_of,
)
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.state import TERMINAL, ResponseState
from shared.messages.stored_body import is_streamed
from shared.replies.event_sequence import opening, whole_answer
from shared.replies.reply_stream import FIRST_WORKER_SEQUENCE
from shared.replies.wakeups import Wake

QUIET_SECONDS: Final = 0.1
"""The least time between two looks, however often a wake-up finds no event."""
KEEP_ALIVE_SECONDS: Final = 15.0
OVERDUE_SECONDS: Final = 5.0
"""How long after its deadline a message is believed to be closed by somebody yet."""
_HANDED_OFF: Final = type_of(ResponseRequiresAction)
_LARGEST_SEQUENCE: Final = 2**62

Wanted = Callable[[], bool]


class NumberedEvent(msgspec.Struct, frozen=True):
    """One event as it goes out: its JSON carries the number."""

    sequence: int
    type: str
    body: bytes


FollowedEvents = AsyncIterator[NumberedEvent | None]
"""None says that whoever waits should hear that the line is alive."""


class Replies:
    """What became of a message: its final response, or its events.

    Works on every replica and without Redis, only slower: one look at the ledger for all who wait
    finds what no wake-up told. `stop` sends everybody home, for a process that wants to end.
    """

    def __init__(self, source: ReplySource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._sleepers: set[asyncio.Event] = set()
        self.stopped = False

    async def final(
        self, record: MessageRecord, wake: Wake, *, seconds: float, wanted: Wanted
    ) -> bytes | None:
        """The JSON of the response when it ends or a human has it; None when time is up.

        A record that is with a human already is waited for until it has ended.
        """
        with self._source.watching(record, wake) as watched:
            return await self._final(record, wake, watched, seconds, wanted)

    async def _final(
        self,
        record: MessageRecord,
        wake: Wake,
        watched: Watched,
        seconds: float,
        wanted: Wanted,
    ) -> bytes | None:
        looked = self._clock.monotonic()
        until, due = looked + seconds, inf
        last = FIRST_WORKER_SEQUENCE - 1
        has_events = _is_streamed(record)
        while True:
            woken = await self._sleep(wake, min(until, due))
            wake.clear()
            if wake.news and _answers((told := read_event(wake.news)).type, record):
                return bytes(told.response)
            events = await self._news(record, wake, last) if has_events else ()
            for sequence, event in events:
                last, found = sequence, read_event(event)
                if _answers(found.type, record):
                    return bytes(found.response)
            now = self._clock.monotonic()
            if watched.take_news():
                due = now
            elif woken:
                due = min(due, looked + QUIET_SECONDS)
            if now >= min(due, until):
                looked, due = now, inf
                current = await self._source.current(record)
                if current is None:
                    return None
                if current.state is not record.state and has_ended(current):
                    return msgspec.json.encode(response_object(current))
            if now >= until or self.stopped or not wanted():
                return None

    async def follow(
        self, record: MessageRecord, wake: Wake, *, after: int, wanted: Wanted
    ) -> FollowedEvents:
        """The events above `after`, in order, until one closes the stream.

        It ends without one where nobody closes a message that is overdue. None, each
        KEEP_ALIVE_SECONDS, says that nothing happened.
        """
        for sequence, event in enumerate(opening(record)):
            if sequence > after:
                yield _numbered(sequence, encode_event(event))
        last = min(max(after, FIRST_WORKER_SEQUENCE - 1), _LARGEST_SEQUENCE)
        with self._source.watching(record, wake) as watched:
            async with aclosing(self._follow(record, wake, watched, last, wanted)) as events:
                async for event_or_quiet in events:
                    yield event_or_quiet

    async def _follow(
        self,
        record: MessageRecord,
        wake: Wake,
        watched: Watched,
        last: int,
        wanted: Wanted,
    ) -> AsyncGenerator[NumberedEvent | None, None]:
        current: MessageRecord | None = record
        looked = spoke = self._clock.monotonic()
        due, woken = inf, False
        while current is not None and wanted() and not self.stopped:
            wake.clear()
            events = await self._news(record, wake, last)
            for sequence, event in events:
                last, spoke = sequence, self._clock.monotonic()
                yield _numbered(sequence, event)
            if events and _closes(events[-1][1], current):
                return
            if has_ended(current) and not await self._waits_for_human(current, last):
                for sequence, event in enumerate(await self._missing(current, last), last + 1):
                    yield _numbered(sequence, event)
                return
            if self._overdue_seconds(current) > 0:
                return
            if woken and not events:
                due = looked if wake.news else min(due, looked + QUIET_SECONDS)
            woken = await self._sleep(wake, min(due, self._next_look(current, spoke)))
            now = self._clock.monotonic()
            if now - spoke >= KEEP_ALIVE_SECONDS:
                spoke = now
                yield None
            if watched.take_news():
                due = now
            if now >= due:
                looked, due = now, inf
                current = await self._source.current(current)

    async def _news(self, record: MessageRecord, wake: Wake, last: int) -> list[tuple[int, bytes]]:
        """The events after `last`: as the wake-up told them, or as the stream has them."""
        return wake.take(after=last) or await self._source.events(record.id, after=last)

    def stop(self) -> None:
        """Everybody who waits gets what there is, now."""
        self.stopped = True
        for wake in list(self._sleepers):
            wake.set()

    async def _sleep(self, wake: asyncio.Event, until: float) -> bool:
        self._sleepers.add(wake)
        try:
            async with asyncio.timeout(max(0.0, until - self._clock.monotonic())):
                await wake.wait()
        except TimeoutError:
            return False
        finally:
            self._sleepers.discard(wake)
        return True

    def _next_look(self, record: MessageRecord, spoke: float) -> float:
        """When somebody who hears nothing has to do something: keep the line alive, or give up."""
        overdue_in = max(QUIET_SECONDS, -self._overdue_seconds(record))
        return min(spoke + KEEP_ALIVE_SECONDS, self._clock.monotonic() + overdue_in)

    def _overdue_seconds(self, record: MessageRecord) -> float:
        """For how long nobody can be expected to close it any more; below zero not yet."""
        if has_ended(record):
            return -inf
        return (self._clock.now() - record.deadline).total_seconds() - OVERDUE_SECONDS

    async def _missing(self, record: MessageRecord, last: int) -> list[bytes]:
        """What a reader that has heard everything up to `last` has yet to hear of what ended."""
        if last < FIRST_WORKER_SEQUENCE:
            return [*map(encode_event, whole_answer(record))]
        if kept := await self._source.events(record.id, after=-1):
            if kept[-1][0] < last:
                return []  # it has heard the end from the ledger, after all that Redis has
            came_since = [event for sequence, event in kept if sequence > last]
            closed = _closes(kept[-1][1], record)
            return came_since if closed else [*came_since, encode_event(closing_event(record))]
        if _is_streamed(record):  # Redis forgot: what was streamed is not told again
            return [encode_event(closing_event(record))]
        return [*map(encode_event, whole_answer(record))][last + 1 - FIRST_WORKER_SEQUENCE :]

    async def _waits_for_human(self, record: MessageRecord, last: int) -> bool:
        """Whether this reader knows already that a human has the message, and wants the rest."""
        if record.state is not ResponseState.REQUIRES_ACTION or last < FIRST_WORKER_SEQUENCE:
            return False
        seen = await self._source.events(record.id, after=last - 1)
        return bool(seen) and read_event(seen[-1][1]).type == _HANDED_OFF


def has_ended(record: MessageRecord) -> bool:
    """Whether there is something to answer with: an end, or a human who has it."""
    return record.state in TERMINAL or record.state is ResponseState.REQUIRES_ACTION


def _is_streamed(record: MessageRecord) -> bool:
    # What does not name the field need not be decoded.
    return '"stream"' in record.body and is_streamed(record.body.encode())


def _answers(event_type: str, record: MessageRecord) -> bool:
    if record.state is ResponseState.REQUIRES_ACTION and event_type == _HANDED_OFF:
        return False
    return event_type in CLOSING_TYPES


def _closes(event: bytes, record: MessageRecord) -> bool:
    """Whether nothing follows. A handed-off stream goes on when the human has answered."""
    event_type = read_event(event).type
    if event_type == _HANDED_OFF:
        return not record.state.is_terminal
    return event_type in CLOSING_TYPES


def _numbered(sequence: int, event: bytes) -> NumberedEvent:
    return NumberedEvent(sequence, read_event(event).type, numbered(event, sequence))
