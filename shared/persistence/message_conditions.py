"""What rows of `message` a sweep and its partial index are about, as both spell it."""

from __future__ import annotations

from typing import Final

from shared.messages.state import ResponseState


def for_sweep(state: ResponseState, name: str) -> str:
    """That a message is in this state, as one sweep and its index alone spell it.

    A statement uses a partial index where it repeats its condition. Spelt plainly, every statement
    that names the state could begin with any of them, and would where the statistics are older
    than the backlog: a claim, or a sweep, that reads all that is queued.
    """
    return f"message.state || '/{name}' = '{state}/{name}'"


HELD: Final = f"{for_sweep(ResponseState.IN_PROGRESS, 'held')} AND message.lease_until IS NULL"
"""That a message is held by a worker for as long as that lives: it has no lease of its own."""

UNRELEASED: Final = (
    f"{for_sweep(ResponseState.QUEUED, 'unreleased')}"
    " AND message.held_at IS NOT NULL AND message.released_at IS NULL"
)
"""That a message waits for the dispatcher, and no worker hears of it."""

UNSTORED: Final = "message.store IS FALSE AND message.erased_at IS NULL"
"""That nothing of a message is to be kept, and something still is."""
