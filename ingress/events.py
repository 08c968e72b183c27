"""The way out: a response when it is there, or its events one by one, resumable by number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final

import msgspec

from ingress.reply_source import ReplySource
from ingress.retelling import ending, opening, whole_answer
from shared.clock import Clock
from shared.messages.events import CLOSING_TYPES, ResponseRequiresAction, numbered, read_event
from shared.messages.message_body import decode_body
from shared.messages.record import MessageRecord
from shared.messages.response import response_object
from shared.messages.state import ResponseState
from shared.redis.reply_stream import FIRST_WORKER_SEQUENCE
from shared.redis.wakeups import Wake

LOOK_SECONDS: Final = 2.0
"""How often whoever hears nothing asks the ledger, since a wake-up may be lost."""
QUIET_SECONDS: Final = 0.1
"""The least time between two looks, however often a wake-up finds no event."""
KEEP_ALIVE_SECONDS: Final = 15.0
OVERDUE_SECONDS: Final = 5.0
"""How long after its deadline a message is believed to be closed by somebody yet."""
_HANDED_OFF: Final = str(ResponseRequiresAction.__struct_config__.tag)
_LARGEST_SEQUENCE: Final = 2**62

Wanted = Callable[[], bool]


class NumberedEvent(msgspec.Struct, frozen=True):
    """One event as it goes out: its JSON carries the number."""

    sequence: int
    type: str
    body: bytes


class Replies:
    """What became of a message: its final response, or its events.

    Works on every replica and without Redis, only slower: the ledger is asked every
    LOOK_SECONDS then. `stop` sends everybody home, for a process that wants to end.
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
        looked = self._clock.monotonic()
        until, due = looked + seconds, looked + LOOK_SECONDS
        last = FIRST_WORKER_SEQUENCE - 1
        while True:
            woken = await self._sleep(wake, min(until, due))
            wake.clear()
            if wake.news and _answers((told := read_event(wake.news)).type, record):
                return bytes(told.response)
            for sequence, event in await self._source.events(record.id, after=last):
                last, found = sequence, read_event(event)
                if _answers(found.type, record):
                    return bytes(found.response)
            now = self._clock.monotonic()
            if woken:
                due = min(due, looked + QUIET_SECONDS)
            if now >= min(due, until):
                looked, due = now, now + LOOK_SECONDS
                current = await self._source.current(record)
                if current is None:
                    return None
                if current.state is not record.state and has_ended(current):
                    return msgspec.json.encode(response_object(current))
            if now >= until or self.stopped or not wanted():
                return None

    async def follow(
        self, record: MessageRecord, wake: Wake, *, after: int, wanted: Wanted
    ) -> AsyncIterator[NumberedEvent | None]:
        """The events above `after`, in order, until one closes the stream.

        It ends without one where nobody closes a message that is overdue. None, each
        KEEP_ALIVE_SECONDS, says that nothing happened.
        """
        for sequence, event in enumerate(opening(record)):
            if sequence > after:
                yield _numbered(sequence, event)
        last = min(max(after, FIRST_WORKER_SEQUENCE - 1), _LARGEST_SEQUENCE)
        current: MessageRecord | None = record
        looked = spoke = self._clock.monotonic()
        due, woken = looked + LOOK_SECONDS, False
        while current is not None and wanted() and not self.stopped:
            wake.clear()
            events = await self._source.events(record.id, after=last)
            for sequence, event in events:
                last, spoke = sequence, self._clock.monotonic()
                yield _numbered(sequence, event)
            if events and _closes(events[-1][1], current):
                return
            if has_ended(current) and not await self._waits_for_human(current, last):
                for sequence, event in enumerate(await self._missing(current, last), last + 1):
                    yield _numbered(sequence, event)
                return
            if self._is_overdue(current):
                return
            if woken and not events:
                due = looked if wake.news else min(due, looked + QUIET_SECONDS)
            woken = await self._sleep(wake, min(due, spoke + KEEP_ALIVE_SECONDS))
            now = self._clock.monotonic()
            if now - spoke >= KEEP_ALIVE_SECONDS:
                spoke = now
                yield None
            if now >= due:
                looked, due = now, now + LOOK_SECONDS
                current = await self._source.current(current)

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

    def _is_overdue(self, record: MessageRecord) -> bool:
        late = (self._clock.now() - record.deadline).total_seconds()
        return not has_ended(record) and late > OVERDUE_SECONDS

    async def _missing(self, record: MessageRecord, last: int) -> list[bytes]:
        """What the ledger can add for a reader that has heard everything up to `last`."""
        if last < FIRST_WORKER_SEQUENCE:
            return whole_answer(record)
        if seen := await self._source.events(record.id, after=last - 1):
            return [] if _closes(seen[-1][1], record) else [ending(record)]
        if await self._source.events(record.id, after=-1):
            return []  # it has heard the end from the ledger, after all that Redis has
        if decode_body(record.body.encode()).stream:
            return [ending(record)]  # Redis forgot: what was streamed is not told again
        return whole_answer(record)[last + 1 - FIRST_WORKER_SEQUENCE :]

    async def _waits_for_human(self, record: MessageRecord, last: int) -> bool:
        """Whether this reader knows already that a human has the message, and wants the rest."""
        if record.state is not ResponseState.REQUIRES_ACTION or last < FIRST_WORKER_SEQUENCE:
            return False
        seen = await self._source.events(record.id, after=last - 1)
        return bool(seen) and read_event(seen[-1][1]).type == _HANDED_OFF


def has_ended(record: MessageRecord) -> bool:
    """Whether there is something to answer with: an end, or a human who has it."""
    return record.state.is_terminal or record.state is ResponseState.REQUIRES_ACTION


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
