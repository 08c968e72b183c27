"""The life of a batch, and what becomes of one of its lines.

validating ──► in_progress ──► finalizing ──► completed | expired
   │   │            │
   │   └────────────┴──► cancelling ──► cancelled
   └──► failed
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class BatchState(StrEnum):
    """OpenAI's words for how a batch stands."""

    VALIDATING = "validating"
    FAILED = "failed"
    """Its input has faults, and nothing of it was run."""
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    """Every line has ended; its files are being written."""
    COMPLETED = "completed"
    EXPIRED = "expired"
    """Its time ended before some of its lines; what the others came to is in its files."""
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        """Written once; the first write wins."""
        return not BATCH_TRANSITIONS[self]


BATCH_TRANSITIONS: Final[dict[BatchState, frozenset[BatchState]]] = {
    BatchState.VALIDATING: frozenset(
        {BatchState.FAILED, BatchState.IN_PROGRESS, BatchState.CANCELLING}
    ),
    BatchState.IN_PROGRESS: frozenset({BatchState.FINALIZING, BatchState.CANCELLING}),
    BatchState.FINALIZING: frozenset({BatchState.COMPLETED, BatchState.EXPIRED}),
    BatchState.CANCELLING: frozenset({BatchState.CANCELLED}),
    BatchState.FAILED: frozenset(),
    BatchState.COMPLETED: frozenset(),
    BatchState.EXPIRED: frozenset(),
    BatchState.CANCELLED: frozenset(),
}

OPEN_BATCHES: Final = tuple(state for state in BatchState if not state.is_terminal)
ENDED_BATCHES: Final = tuple(state for state in BatchState if state.is_terminal)


def batch_sources_of(target: BatchState) -> tuple[BatchState, ...]:
    """The states from which `target` may be written."""
    return tuple(state for state, after in BATCH_TRANSITIONS.items() if target in after)


class ItemOutcome(StrEnum):
    """What a line has come to; every line of a batch that has ended has another than the first."""

    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class BatchSurface(StrEnum):
    """In whose words a batch is asked for and its results are written."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class BatchEndpoint(StrEnum):
    """What each line of a batch is a request to: ours first, then OpenAI's that we do not run."""

    RESPONSES = "/v1/responses"
    CHAT_COMPLETIONS = "/v1/chat/completions"
    MESSAGES = "/v1/messages"
    EMBEDDINGS = "/v1/embeddings"
    COMPLETIONS = "/v1/completions"
    MODERATIONS = "/v1/moderations"
    IMAGES = "/v1/images/generations"
    IMAGE_EDITS = "/v1/images/edits"
    VIDEOS = "/v1/videos"
