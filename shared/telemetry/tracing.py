"""What a span is and who opens it; and both as they are while tracing is off.

A span costs a method call then, and nothing of OpenTelemetry is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Final, Protocol

from shared.telemetry.propagation import TraceContext, enter_trace

AttributeValue = str | bool | int | float | Sequence[str]
Attributes = Mapping[str, AttributeValue]


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

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        pass


SILENT_SPAN: Final = SilentSpan()


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
    ) -> AbstractContextManager[Span]:
        """A span under `parent`, else under the current one, else at the root of a new trace.

        Inside it `inject()` gives what the next server needs to go on with this trace. An error
        that leaves it is recorded and passed on; a cancellation is not an error.
        """

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
    ) -> AbstractContextManager[Span]:
        return SILENT_SPAN if parent is None else CarriedTrace(parent)

    async def close(self) -> None:
        pass
