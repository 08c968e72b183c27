"""A message's trace: how it goes with it, what a span is, and both while tracing is off.

It goes as W3C Trace Context across HTTP, the queue and the provider. With tracing off an incoming
`traceparent` is carried on unchanged, so that a trace which others began is not torn apart by us;
without one, none is made up. A span costs a method call then; nothing here needs OpenTelemetry.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from shared.messages.record import MessageRecord

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

AttributeValue = str | bool | int | float | Sequence[str]
Attributes = Mapping[str, AttributeValue]
_NOTHING: Final[Attributes] = {}


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The place in a trace that the next span, or the next server, continues from."""

    traceparent: str
    tracestate: str = ""
    span: Span | None = field(default=None, compare=False, repr=False)
    """The one that is at this place, where this process records it."""
    inherited: Attributes = field(default_factory=dict, compare=False, repr=False)
    """What every span below it says as well; it does not leave the process."""

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


class SpanKind(StrEnum):
    """Which side of a call a span is."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """One timed stretch of a trace. Attributes never hold a prompt or an answer."""

    def set_attribute(self, key: str, value: AttributeValue) -> None: ...

    def set_attributes(self, attributes: Attributes) -> None: ...

    def add_event(self, name: str, attributes: Attributes | None = None) -> None: ...

    def record_error(self, error: BaseException) -> None:
        """Mark the span as failed with the error's code or class; its text is not recorded."""

    def fail(self, error_type: str) -> None:
        """Mark the span as failed; `error_type` is a code of ours."""


class SilentSpan:
    """Does nothing: one instance serves everybody while tracing is off."""

    __slots__ = ()

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        pass

    def set_attributes(self, attributes: Attributes) -> None:
        pass

    def add_event(self, name: str, attributes: Attributes | None = None) -> None:
        pass

    def record_error(self, error: BaseException) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        pass


SILENT_SPAN: Final = SilentSpan()


def current_span() -> Span:
    """The span that this task is in; one that does nothing, where there is none or it is not ours.

    For adding to it, while it is open.
    """
    trace = _current.get()
    return SILENT_SPAN if trace is None or trace.span is None else trace.span


class CarriedTrace:
    """A silent span under a parent from elsewhere: `inject` inside it passes the parent on."""

    __slots__ = ("_parent", "_previous")

    def __init__(self, parent: TraceContext) -> None:
        self._parent = parent
        self._previous: TraceContext | None = None

    def __enter__(self) -> Span:
        self._previous = enter_trace(self._parent)
        return SILENT_SPAN

    def __exit__(self, *_: object) -> None:
        enter_trace(self._previous)


class Tracing(Protocol):
    """Opens spans. One per process, closed with it."""

    @property
    def recording(self) -> bool:
        """Whether spans go anywhere; ask before computing a costly attribute."""

    def span(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
        *,
        parent: TraceContext | None = None,
        about: MessageRecord | None = None,
    ) -> AbstractContextManager[Span]:
        """A span under `parent`, else under the current one, else at the root of a new trace.

        Inside it `inject()` gives what the next server needs to go on with this trace. An error
        that leaves it is recorded and passed on; a cancellation is not an error. It and all spans
        in it say whose message they are `about`.
        """

    def whose(self, record: MessageRecord) -> Attributes:
        """What a span says of whose message it is about."""

    async def close(self) -> None:
        """Send what is left, for five seconds at most."""


class SilentTracing:
    """Tracing that is off."""

    recording = False

    def span(
        self,
        name: str,  # noqa: ARG002 - the shape of every tracing
        kind: SpanKind = SpanKind.INTERNAL,  # noqa: ARG002
        attributes: Attributes | None = None,  # noqa: ARG002
        *,
        parent: TraceContext | None = None,
        about: MessageRecord | None = None,  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        return SILENT_SPAN if parent is None else CarriedTrace(parent)

    def whose(self, record: MessageRecord) -> Attributes:  # noqa: ARG002
        return _NOTHING

    async def close(self) -> None:
        pass
