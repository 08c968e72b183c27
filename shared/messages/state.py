"""The life of a response.

queued ──► in_progress ──► completed | failed | cancelled | incomplete
  ▲  │          │  │
  │  └──────────┼──┼────► failed | cancelled        (deadline passed, cancelled in the queue)
  └─────────────┘  └────► requires_action ──► completed | failed | cancelled
    lease ran out           a human has it
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ResponseState(StrEnum):
    """OpenAI's states, plus `requires_action` while a human has the message."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    REQUIRES_ACTION = "requires_action"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"

    @property
    def is_terminal(self) -> bool:
        """Written once; the first write wins."""
        return self in TERMINAL


TERMINAL: Final = frozenset(
    {
        ResponseState.COMPLETED,
        ResponseState.FAILED,
        ResponseState.CANCELLED,
        ResponseState.INCOMPLETE,
    }
)

ALLOWED_TRANSITIONS: Final[dict[ResponseState, frozenset[ResponseState]]] = {
    ResponseState.QUEUED: frozenset(
        {ResponseState.IN_PROGRESS, ResponseState.FAILED, ResponseState.CANCELLED}
    ),
    ResponseState.IN_PROGRESS: TERMINAL
    | frozenset({ResponseState.QUEUED, ResponseState.REQUIRES_ACTION}),
    ResponseState.REQUIRES_ACTION: frozenset(
        {ResponseState.COMPLETED, ResponseState.FAILED, ResponseState.CANCELLED}
    ),
    **{state: frozenset() for state in TERMINAL},
}


def sources_of(target: ResponseState) -> frozenset[ResponseState]:
    """The states from which `target` may be written."""
    return frozenset(state for state, after in ALLOWED_TRANSITIONS.items() if target in after)
