"""The waterfall says why a message waited, by the notes in its row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.messages.state import ResponseState
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote, read_notes
from shared.views.waterfall.stretch import Stretch, StretchKind

from .histories import at, call, shown

HELD, PARKED, QUEUED = StretchKind.HELD, StretchKind.PARKED, StretchKind.QUEUED
DONE: dict[str, Any] = {"state": ResponseState.COMPLETED}


def note(cause: WaitCause, since: float, until: float | None = None) -> WaitNote:
    end: datetime | None = None if until is None else at(until)
    return WaitNote(cause=cause, since=at(since), until=end, why=f"{cause}.")


def reasons(stretches: list[Stretch]) -> list[tuple[StretchKind, float, float | None, str | None]]:
    waits = {HELD, PARKED, QUEUED}
    return [
        (each.kind, each.start, each.end, each.reason) for each in stretches if each.kind in waits
    ]


def test_a_hold_is_cut_where_its_reason_changed() -> None:
    waits = [note(WaitCause.NO_WORKER, -5, 10), note(WaitCause.SLOTS, 10, 13)]
    held = {"held_at": at(0), "released_at": at(13), "claimed_at": at(14), "attempt": 1}
    assert reasons(shown(waits=waits, finished_at=at(15), **held, **DONE)) == [
        (HELD, 0, 10, "no_worker."),
        (HELD, 10, 13, "slots."),
        (QUEUED, 13, 14, None),
    ]


def test_of_what_an_earlier_leader_saw_nothing_is_said() -> None:
    held = {"held_at": at(0), "released_at": at(60), "claimed_at": at(60), "attempt": 1}
    waits = [note(WaitCause.SLOTS, 40, 60)]
    assert reasons(shown(waits=waits, finished_at=at(61), **held, **DONE)) == [
        (HELD, 0, 40, None),
        (HELD, 40, 60, "slots."),
    ]


def test_what_was_parked_says_so_within_its_hold() -> None:
    held = {"held_at": at(0), "released_at": at(9), "claimed_at": at(9), "attempt": 1}
    waits = [note(WaitCause.PARKED, 1, 8), note(WaitCause.CEILING, 0, 9)]
    assert reasons(shown(waits=waits, finished_at=at(10), **held, **DONE)) == [
        (HELD, 0, 9, "ceiling."),
        (PARKED, 1, 8, "parked."),
    ]


def test_one_that_was_parked_all_the_time_was_held_as_long() -> None:
    waits = [note(WaitCause.PARKED, 0, 8), note(WaitCause.MODELS_AWAY, 10)]
    held = {"held_at": at(10), "released_at": at(13), "claimed_at": at(14), "attempt": 2}
    assert reasons(shown(waits=waits, finished_at=at(15), **held, **DONE)) == [
        (HELD, 0, 8, None),
        (PARKED, 0, 8, "parked."),
        (QUEUED, 8, 10, None),
        (HELD, 10, 13, "models_away."),
        (QUEUED, 13, 14, None),
    ]


def test_each_turn_that_was_given_back_says_why() -> None:
    """The first found no model and called nobody, the second broke off, the third answered."""
    waits = [
        note(WaitCause.SLOTS, 0, 3),
        note(WaitCause.MODELS_AWAY, 5),
        note(WaitCause.SLOTS, 0, 8),
        note(WaitCause.FAULT, 11, 15),
    ]
    stretches = shown(
        [call(2, 1, 9, 1), call(3, 1, 16, 1)],
        waits=waits,
        held_at=at(5),
        released_at=at(8),
        claimed_at=at(16),
        finished_at=at(17),
        attempt=3,
        **DONE,
    )
    assert reasons(stretches) == [
        (HELD, 0, 3, "slots."),
        (QUEUED, 3, 5, None),
        (HELD, 5, 8, "models_away. slots."),
        (QUEUED, 8, 9, None),
        (QUEUED, 11, 16, "fault."),
    ]
    turns = [(each.start, each.end) for each in stretches if each.kind is StretchKind.TURN]
    assert turns == [(9, 11), (16, 17)]


def test_what_was_given_back_and_waits_is_no_turn_that_goes_on() -> None:
    stretches = shown(waits=[note(WaitCause.WORKER_SILENT, 20)], claimed_at=at(1), attempt=1)
    assert [(each.kind, each.start, each.end) for each in stretches] == [
        (QUEUED, 0, 1),
        (StretchKind.TURN, 1, 20),
        (QUEUED, 20, None),
    ]
    assert stretches[-1].reason == "worker_silent."


def test_one_whose_deadline_passed_while_it_was_held_says_why() -> None:
    failed = {"state": ResponseState.FAILED, "finished_at": at(31)}
    stretches = shown(waits=[note(WaitCause.NO_WORKER, 0, 30)], held_at=at(0), **failed)
    assert reasons(stretches)[0] == (HELD, 0, 30, "no_worker.")


def test_notes_of_another_version_cost_the_others_nothing() -> None:
    kept = note(WaitCause.SLOTS, 0, 3)
    written = f'{{"cause":"of_tomorrow","since":"2026-01-01T00:00:00Z"}}\n{kept.line()}nonsense\n'
    assert read_notes(written) == [kept]
