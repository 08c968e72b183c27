"""Acceptance with spans: what of a message's time went before the queue."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from ingress.acceptance import Acceptance, AcceptedMessage, Outcome
from ingress.admission.question import AdmissionRequest
from ingress.admission.verdict import Admitted, Refused
from shared.accepting.arrival import Arrival
from shared.messages.record import MessageRecord
from shared.telemetry.message_spans.ending import tell_state
from shared.telemetry.tracing import SpanKind, Tracing, current_span, current_trace, extract, inject

PUBLISH: Final = "publish"


class TracedAcceptance(Acceptance):
    """Each message is accepted in a span that the turn is a child of; in it are the moments at
    which the message was admitted and committed."""

    def __init__(self, *parts: Any, tracing: Tracing, **settings: Any) -> None:
        """The parts and settings of an Acceptance."""
        super().__init__(*parts, **settings)
        self._tracing = tracing

    async def accept(self, arrival: Arrival) -> Outcome:
        request = current_span()
        # Over HTTP there is a span already, under the caller's; a message of the queue has none.
        parent = None if current_trace() is not None else extract(arrival.trace)
        with self._tracing.span(PUBLISH, SpanKind.PRODUCER, parent=parent) as span:
            outcome = await super().accept(replace(arrival, trace=inject()))
            match outcome:
                case Refused():
                    span.set_attribute("forebay.refused", outcome.reason)
                case AcceptedMessage():
                    told = self._told(outcome)
                    span.set_attributes(told)
                    request.set_attributes(told)
                    tell_state(request, outcome.record.state, reason=outcome.record.error_code)
        return outcome

    async def _commit(
        self,
        arrival: Arrival,
        record: MessageRecord,
        question: AdmissionRequest,
        verdict: Admitted,
    ) -> Outcome:
        span = current_span()
        span.add_event("admitted", {"forebay.held": verdict.held})
        outcome = await super()._commit(arrival, record, question, verdict)
        span.add_event("committed")
        return outcome

    def _told(self, accepted: AcceptedMessage) -> dict[str, Any]:
        record = accepted.record
        return {
            **self._tracing.whose(record),
            "forebay.message_id": record.id,
            "forebay.lane": record.lane,
            "forebay.repeated": accepted.repeated,
        }
