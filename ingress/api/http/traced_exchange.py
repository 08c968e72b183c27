"""The span of a request."""

from __future__ import annotations

from typing import Final

from ingress.api.http.errors import error_answer
from ingress.api.http.exchange import Endpoint, Exchange
from ingress.api.http.wire import Disconnected
from shared.errors import ForebayError
from shared.telemetry import genai
from shared.telemetry.tracing import Span, SpanKind, TraceContext, Tracing

_FAULTS_OF_OURS: Final = 500
_HUNG_UP: Final = 499


async def in_span(
    tracing: Tracing, exchange: Exchange, work: Endpoint, *, parent: TraceContext | None
) -> None:
    """Do the work in a span that says how the request was answered; raises what the work does.

    As OpenTelemetry has it of servers, only a fault of ours makes the span one of error.
    """
    refusal: ForebayError | Disconnected | None = None
    asked = {
        genai.HTTP_METHOD: exchange.method,
        genai.HTTP_ROUTE: exchange.route,
        genai.SPAN_KIND: genai.KIND_CHAIN,
    }
    name = f"{exchange.method} {exchange.route}"
    with tracing.span(name, SpanKind.SERVER, asked, parent=parent) as span:
        try:
            await work(exchange)
        except (ForebayError, Disconnected) as error:
            refusal = error
        _tell_answer(span, exchange, refusal)
    if refusal is not None:
        raise refusal


def _tell_answer(
    span: Span, exchange: Exchange, refusal: ForebayError | Disconnected | None
) -> None:
    status = exchange.status
    if isinstance(refusal, Disconnected):
        status = status or _HUNG_UP
    elif refusal is not None:
        answer = error_answer(refusal)
        status, code = status or answer.status, answer.detail.code or refusal.code
        if status >= _FAULTS_OF_OURS:
            span.fail(code)
        else:
            span.set_attribute(genai.ERROR_TYPE, code)
    if status:
        span.set_attribute(genai.HTTP_STATUS, status)
