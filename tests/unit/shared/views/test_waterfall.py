"""The waterfall says where the time of a message went."""

from __future__ import annotations

from shared.messages.state import ResponseState
from shared.views.waterfall.stretch import Stretch, StretchKind

from .histories import at, call, shown

TALLY = tuple[StretchKind, float, float | None]


def tally(stretches: list[Stretch]) -> list[TALLY]:
    return [(each.kind, each.start, each.end) for each in stretches]


def test_a_message_that_waits_is_queued_until_now() -> None:
    assert tally(shown()) == [(StretchKind.QUEUED, 0, None)]


def test_a_held_message_waits_for_the_dispatcher_first() -> None:
    assert tally(shown(held_at=at(0))) == [(StretchKind.HELD, 0, None)]
    released = shown(held_at=at(0), released_at=at(3), claimed_at=at(4), attempt=1)
    assert tally(released)[:2] == [(StretchKind.HELD, 0, 3), (StretchKind.QUEUED, 3, 4)]


def test_a_turn_is_made_of_its_calls_and_of_what_lies_between() -> None:
    stretches = shown(
        [call(1, 1, 2, 1, error_class="timeout"), call(1, 2, 4, 2)],
        claimed_at=at(1),
        finished_at=at(7),
        attempt=1,
        state=ResponseState.COMPLETED,
    )
    assert tally(stretches) == [
        (StretchKind.QUEUED, 0, 1),
        (StretchKind.TURN, 1, 7),
        (StretchKind.STEPS, 1, 2),
        (StretchKind.ATTEMPT, 2, 3),
        (StretchKind.STEPS, 3, 4),
        (StretchKind.ATTEMPT, 4, 6),
        (StretchKind.STEPS, 6, 7),
    ]
    assert [each.failed for each in stretches if each.kind is StretchKind.ATTEMPT] == [True, False]


def test_a_turn_that_was_given_back_is_followed_by_another_wait() -> None:
    stretches = shown(
        [call(1, 1, 2, 1, error_class="timeout"), call(2, 1, 11, 1)],
        claimed_at=at(10),
        finished_at=at(12),
        attempt=2,
        state=ResponseState.COMPLETED,
    )
    turns = [each for each in stretches if each.kind in {StretchKind.QUEUED, StretchKind.TURN}]
    assert tally(turns) == [
        (StretchKind.QUEUED, 0, 2),
        (StretchKind.TURN, 2, 3),
        (StretchKind.QUEUED, 3, 10),
        (StretchKind.TURN, 10, 12),
    ]


def test_a_person_has_what_was_handed_over() -> None:
    state = ResponseState.REQUIRES_ACTION
    ended = {"claimed_at": at(1), "attempt": 1, "finished_at": at(2)}
    waiting = shown(**ended, state=state, handed_off_at=at(2))
    assert tally(waiting)[-1] == (StretchKind.PERSON, 2, None)
    assert tally(waiting)[1] == (StretchKind.TURN, 1, 2)
    answered = shown(claimed_at=at(1), attempt=1, handed_off_at=at(2), answered_by_person_at=at(60))
    assert tally(answered)[-1] == (StretchKind.PERSON, 2, 60)


def test_clocks_that_disagree_make_no_stretch_end_before_it_begins() -> None:
    stretches = shown([call(1, 1, -3, 1)], claimed_at=at(-2), finished_at=at(-1), attempt=1)
    assert stretches
    assert all(each.start >= 0 and each.end is not None for each in stretches)
    assert all((each.end or 0) >= each.start for each in stretches)
