"""Why messages waited, remembered by the leader until it releases them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.messages.lane import Lane
from shared.persistence.ledger.held.slot_counts import SlotCount
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote
from workers.dispatch.flows.held_message import HeldMessage
from workers.dispatch.scheduler import Scheduler

LONGER_THAN_A_QUEUE_SECONDS: Final = 1.0
"""What was held for less waited no longer than for its turn in a queue, and has no note."""
_REMEMBERED: Final = 8
"""Reasons of a lane, one after the other: what is older is forgotten first."""


class LaneReason(msgspec.Struct, frozen=True):
    """Why a lane starts nothing at the moment."""

    cause: WaitCause
    sentence: str


class WaitReasons:
    """Looks once a second, so that all that began to wait in one second has the same notes.

    What another leader saw is not known here, and nothing is said of it.
    """

    def __init__(self, scheduler: Scheduler, why_parked: Callable[[str], str]) -> None:
        self._scheduler = scheduler
        self._why_parked = why_parked
        self._lanes = defaultdict[Lane, deque[WaitNote]](lambda: deque(maxlen=_REMEMBERED))
        self._parked: dict[str, WaitNote] = {}

    def of_lane(self, lane: Lane, slots: SlotCount, now: float) -> LaneReason:
        """Why it starts nothing."""
        number = slots.of(lane)
        if not number:
            return LaneReason(WaitCause.NO_WORKER, "No worker answers this lane.")
        if self._scheduler.lanes[lane].yields:
            part = self._scheduler.ceilings.of(lane, now)
            said = f"It starts while less than {part:.0%} of {number} slots are taken."
            return LaneReason(WaitCause.CEILING, said)
        said = f"All of {number} slots are taken; each tenant waits for its share of them."
        return LaneReason(WaitCause.SLOTS, said)

    def look(self, slots: SlotCount, now: float) -> None:
        """See what waits now, and what is parked."""
        at = _time(now)
        for lane, flows in self._scheduler.lanes.items():
            reason = self.of_lane(lane, slots, now) if flows.waiting else None
            _go_on(self._lanes[lane], reason, at)
        self._look_at_parked(at)

    def take_expired(self, now: float) -> dict[str, str]:
        """Take out what waits and is past its deadline, which is the ledger's to end: the notes of
        each."""
        found = {}
        for lane in (*self._scheduler.lanes.values(), self._scheduler.parking.flows):
            for flow in [*lane.waiting]:
                while (head := flow.head()) is not None and head.message.deadline <= now:
                    self._scheduler.remove(head.message.id)
                    found[head.message.id] = self.note_of(head.message, now)
        return {message_id: note for message_id, note in found.items() if note}

    def note_of(self, message: HeldMessage, now: float) -> str:
        """The lines of one that is released, which is then forgotten; none where it hardly
        waited."""
        parked = self._parked.pop(message.id, None)
        if now - message.accepted_at < LONGER_THAN_A_QUEUE_SECONDS:
            return ""
        notes = [] if parked is None else [parked]
        held_at = _time(message.accepted_at)
        notes += (each for each in self._lanes[message.lane] if not _is_over(each, held_at))
        return "".join(_until(each, _time(now)).line() for each in notes)

    def _look_at_parked(self, at: datetime) -> None:
        parking = self._scheduler.parking
        for message_id, note in [*self._parked.items()]:
            if message_id not in self._scheduler:
                del self._parked[message_id]
            elif message_id not in parking:
                self._parked[message_id] = _until(note, at)
        for message_id in parking:
            known = self._parked.get(message_id)
            if known is None:
                why = f"Parked: {self._why_parked(message_id)}."
                self._parked[message_id] = WaitNote(cause=WaitCause.PARKED, since=at, why=why)
            elif known.until is not None:
                self._parked[message_id] = msgspec.structs.replace(known, until=None)


def _go_on(notes: deque[WaitNote], reason: LaneReason | None, at: datetime) -> None:
    """The lane's last reason goes on, or ends and is followed by this one."""
    last = notes[-1] if notes and notes[-1].until is None else None
    if last is not None and reason is not None and last.cause is reason.cause:
        notes[-1] = msgspec.structs.replace(last, why=reason.sentence)
        return
    if last is not None:
        notes[-1] = _until(last, at)
    if reason is not None:
        notes.append(WaitNote(cause=reason.cause, since=at, why=reason.sentence))


def _is_over(note: WaitNote, then: datetime) -> bool:
    return note.until is not None and note.until <= then


def _until(note: WaitNote, at: datetime) -> WaitNote:
    return note if note.until is not None else msgspec.structs.replace(note, until=at)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
