"""W3C Trace Context: how a message keeps its trace across HTTP, the queue and the provider.

Needs no OpenTelemetry. With tracing off an incoming `traceparent` is carried on unchanged, so
that a trace which others began is not torn apart by us; without one, none is made up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

_VERSION_00: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# A later version may append fields; the first four keep their place.
_LATER_VERSION: Final = re.compile(
    r"(?!ff|00)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"(?:-[\x21-\x7e]{1,200})?"
)
_STATE: Final = re.compile(r"[\x20-\x7e\t]{1,512}")
_SAMPLED: Final = 0x01


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The place in a trace that the next span, or the next server, continues from."""

    traceparent: str
    tracestate: str = ""

    @property
    def trace_id(self) -> str:
        """32 lower-case hexadecimal digits."""
        return self.traceparent[3:35]

    @property
    def span_id(self) -> str:
        """16 lower-case hexadecimal digits."""
        return self.traceparent[36:52]

    @property
    def sampled(self) -> bool:
        return bool(int(self.traceparent[53:55], 16) & _SAMPLED)


_current: ContextVar[TraceContext | None] = ContextVar("forebay_trace", default=None)


def current_trace() -> TraceContext | None:
    """The trace that this task is in, if any."""
    return _current.get()


def enter_trace(trace: TraceContext | None) -> TraceContext | None:
    """Make `trace` the current one and return what was; give that back when leaving.

    There is no token as in `contextvars`: a streamed answer may be closed in another context
    than it was opened in, where a token is refused.
    """
    previous = _current.get()
    _current.set(trace)
    return previous


def extract(carrier: Mapping[str, object]) -> TraceContext | None:
    """Read the trace from headers, or from the `trace` of a wake-up.

    Anything that is not a well-formed traceparent counts as absent: a producer's broken header
    costs it the trace, never the message. A broken or oversized tracestate is dropped alone.
    """
    parent = carrier.get(TRACEPARENT)
    if not isinstance(parent, str):
        return None
    if _VERSION_00.fullmatch(parent) is None and _LATER_VERSION.fullmatch(parent) is None:
        return None
    state = carrier.get(TRACESTATE)
    if isinstance(state, str) and _STATE.fullmatch(state):
        return TraceContext(parent, state)
    return TraceContext(parent)


def inject(carrier: dict[str, str] | None = None) -> dict[str, str]:
    """Write the current trace into `carrier`, a new dict if none is given, and return it."""
    carrier = {} if carrier is None else carrier
    trace = _current.get()
    if trace is not None:
        carrier[TRACEPARENT] = trace.traceparent
        if trace.tracestate:
            carrier[TRACESTATE] = trace.tracestate
    return carrier
