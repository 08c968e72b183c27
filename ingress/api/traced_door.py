"""The door where spans are recorded: a request's says how the message ended, if it saw the end."""

from __future__ import annotations

import msgspec

from ingress.api.door import Door
from ingress.api.http.exchange import Endpoint, Exchange
from ingress.api.http.request_headers import trace_carrier
from ingress.api.http.traced_exchange import in_span
from ingress.events import FollowedEvents
from shared.messages.events import CLOSING_TYPES, read_event
from shared.messages.record import MessageRecord
from shared.messages.response import ResponseFault
from shared.messages.state import ResponseState
from shared.replies.wakeups import Wake
from shared.telemetry.message_spans.ending import tell_state
from shared.telemetry.tracing import Span, current_span, extract


class SeenEnd(msgspec.Struct, frozen=True):
    """What of a response's JSON its span tells."""

    status: ResponseState
    error: ResponseFault | None = None


class TracedDoor(Door):
    """Where nothing is recorded a plain Door stands in its place, which costs nothing."""

    __slots__ = ()

    async def traced(self, exchange: Exchange, work: Endpoint) -> None:
        parent = extract(trace_carrier(exchange))
        await in_span(self.tracing, exchange, work, parent=parent)

    async def final(
        self, exchange: Exchange, record: MessageRecord, wake: Wake, *, seconds: float
    ) -> bytes | None:
        final = await super().final(exchange, record, wake, seconds=seconds)
        if final is not None:
            _tell_end(current_span(), final)
        return final

    def heard(self, events: FollowedEvents) -> FollowedEvents:
        return _heard(current_span(), events)


async def _heard(span: Span, events: FollowedEvents) -> FollowedEvents:
    async for event in events:
        if event is not None and event.type in CLOSING_TYPES:
            _tell_end(span, bytes(read_event(event.body).response))
        yield event


def _tell_end(span: Span, response: bytes) -> None:
    end = msgspec.json.decode(response, type=SeenEnd)
    tell_state(span, end.status, reason=None if end.error is None else end.error.code)
