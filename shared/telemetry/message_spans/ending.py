"""How a message ended, on a span of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.telemetry.tracing import TRACEPARENT, AttributeValue, Span, Tracing, extract

STATE: Final = "forebay.state"
_END: Final = "end"


def tell_state(span: Span, state: ResponseState, *, reason: str | None = None) -> None:
    """Note the state. A failed message makes the span one of error, whose type is `reason`: a code
    of ours, never a text."""
    span.set_attribute(STATE, state)
    if state is ResponseState.FAILED:
        span.fail(reason or state.value)


@contextmanager
def ending(tracing: Tracing, record: MessageRecord) -> Iterator[None]:
    """A span `end` beside the turns of a message that ended outside of them: its trace would not
    tell how."""
    told: dict[str, AttributeValue] = {
        "forebay.message_id": record.id,
        "forebay.lane": record.lane,
        "forebay.attempt": record.attempt,
    }
    if record.answered_by is not None:
        # Of `human:ann` that it was a person.
        told["forebay.answered_by"] = record.answered_by.partition(":")[0]
    parent = extract({TRACEPARENT: record.traceparent})
    with tracing.span(_END, attributes=told, parent=parent, about=record) as span:
        tell_state(span, record.state, reason=record.error_code)
        yield


def tell_end(tracing: Tracing, record: MessageRecord) -> None:
    """The same where nothing is left to do, for a message that has a trace."""
    if tracing.recording and record.traceparent is not None:
        with ending(tracing, record):
            pass
