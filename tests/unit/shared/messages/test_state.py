"""The life of a response, transition by transition."""

from __future__ import annotations

import pytest

from shared.messages.state import ALLOWED_TRANSITIONS, TERMINAL, ResponseState, sources_of

QUEUED, RUNNING = ResponseState.QUEUED, ResponseState.IN_PROGRESS
HUMAN, DONE = ResponseState.REQUIRES_ACTION, ResponseState.COMPLETED
FAILED, CANCELLED = ResponseState.FAILED, ResponseState.CANCELLED
CUT = ResponseState.INCOMPLETE

LIFE = {
    (QUEUED, RUNNING): "a worker claimed it",
    (QUEUED, FAILED): "its deadline passed in the queue",
    (QUEUED, CANCELLED): "it was cancelled in the queue",
    (RUNNING, QUEUED): "its worker fell silent",
    (RUNNING, HUMAN): "it was handed off",
    (RUNNING, DONE): "it was answered",
    (RUNNING, FAILED): "nobody could answer",
    (RUNNING, CANCELLED): "it was cancelled while it ran",
    (RUNNING, CUT): "the answer was cut by a limit",
    (HUMAN, DONE): "a human answered",
    (HUMAN, FAILED): "nobody wanted it any more",
    (HUMAN, CANCELLED): "it was cancelled while a human had it",
}


@pytest.mark.parametrize("before", ResponseState)
@pytest.mark.parametrize("after", ResponseState)
def test_a_transition_is_allowed_where_life_has_it(
    before: ResponseState, after: ResponseState
) -> None:
    assert (after in ALLOWED_TRANSITIONS[before]) == ((before, after) in LIFE)
    assert (before in sources_of(after)) == ((before, after) in LIFE)


def test_nothing_leaves_an_end() -> None:
    assert {DONE, FAILED, CANCELLED, CUT} == TERMINAL
    assert all(not ALLOWED_TRANSITIONS[end] and end.is_terminal for end in TERMINAL)
    assert all(ALLOWED_TRANSITIONS[state] for state in ResponseState if not state.is_terminal)


def test_from_everywhere_there_is_a_way_to_an_end() -> None:
    reached, before = set(TERMINAL), set()
    while reached != before:
        before = set(reached)
        reached |= {state for state in ResponseState if ALLOWED_TRANSITIONS[state] & reached}
    assert reached == set(ResponseState)
