"""How a message ended, on a span of it."""

from __future__ import annotations

from typing import Final

from shared.messages.state import ResponseState
from shared.telemetry.tracing import Span

STATE: Final = "forebay.state"


def tell_state(span: Span, state: ResponseState, *, reason: str | None = None) -> None:
    """Note the state. A failed message makes the span one of error, whose type is `reason`: a code
    of ours, never a text."""
    span.set_attribute(STATE, state)
    if state is ResponseState.FAILED:
        span.fail(reason or state.value)
