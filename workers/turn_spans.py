"""The span of a turn: whose message it is, how long it waited, how it ended."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Final

from shared.messages.record import MessageRecord
from shared.telemetry import genai
from shared.telemetry.message_spans.ending import tell_state
from shared.telemetry.tracing import (
    TRACEPARENT,
    AttributeValue,
    Span,
    SpanKind,
    Tracing,
    extract,
)
from workers.turn import Turn

_AGENT: Final = "forebay"


class TurnSpans:
    """Opens and describes them, where spans are recorded."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def opened(self, record: MessageRecord) -> AbstractContextManager[Span]:
        """Under the span that published the message; those of its steps are in it."""
        told: dict[str, AttributeValue] = {
            genai.OPERATION_NAME: genai.INVOKE_AGENT,
            genai.AGENT_NAME: _AGENT,
            genai.PROVIDER_NAME: _AGENT,
            genai.SPAN_KIND: genai.KIND_AGENT,
            genai.RESPONSE_ID: record.id,
            "forebay.message_id": record.id,
            "forebay.lane": record.lane,
            "forebay.attempt": record.attempt,
        }
        if record.claimed_at is not None:
            waited = (record.claimed_at - record.accepted_at).total_seconds()
            told["forebay.queued_seconds"] = max(0.0, waited)
        parent = extract({TRACEPARENT: record.traceparent})
        return self._tracing.span("turn", SpanKind.CONSUMER, told, parent=parent, about=record)

    def describe(self, span: Span, turn: Turn, outcome: str) -> None:
        """Tell how it ended. One that was given back or lost says so and is no error: the message
        goes on."""
        span.set_attribute("forebay.turn_outcome", outcome)
        report, settlement = turn.report, turn.settlement
        if report is not None and (routing := report.routing) is not None:
            span.set_attribute("forebay.tier", routing.tier)
            if routing.score is not None:
                span.set_attribute("forebay.routing_score", routing.score)
        if settlement is None:
            return
        if settlement.answered_by is not None:
            span.set_attribute("forebay.answered_by", settlement.answered_by)
        if settlement.model is not None:
            span.set_attribute(genai.RESPONSE_MODEL, settlement.model)
        if settlement.cost is not None:
            span.set_attribute("forebay.cost_dollars", float(settlement.cost))
        reason = settlement.dead_reason or settlement.error_code
        tell_state(span, settlement.state, reason=reason)
