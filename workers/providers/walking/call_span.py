"""The span of one attempt, under the names of the GenAI conventions; never a prompt or a text."""

from __future__ import annotations

from contextlib import AbstractContextManager

from shared.telemetry import genai
from shared.telemetry.span import SILENT_SPAN, AttributeValue, Span, SpanKind
from shared.telemetry.tracing import Tracing
from workers.providers.outcome import Answer, Outcome
from workers.providers.provider import Prompt


def call_span(
    tracing: Tracing, prompt: Prompt, *, provider: str, model: str, streamed: bool
) -> AbstractContextManager[Span]:
    """Opens around the call, so that the provider's own server continues this trace."""
    if not tracing.recording:
        return SILENT_SPAN
    attributes: dict[str, AttributeValue | None] = {
        genai.OPERATION_NAME: genai.CHAT,
        genai.PROVIDER_NAME: provider,
        genai.REQUEST_MODEL: model,
        genai.REQUEST_STREAM: streamed,
        genai.REQUEST_MAX_TOKENS: prompt.max_output_tokens,
        genai.REQUEST_TEMPERATURE: prompt.temperature,
        genai.REQUEST_TOP_P: prompt.top_p,
    }
    known = {name: value for name, value in attributes.items() if value is not None}
    return tracing.span(f"{genai.CHAT} {model}", SpanKind.CLIENT, known)


def describe(span: Span, outcome: Outcome) -> None:
    """Put the answer's figures on its span."""
    if not isinstance(outcome, Answer) or span is SILENT_SPAN:
        return
    span.set_attributes(
        {
            genai.RESPONSE_MODEL: outcome.model,
            genai.RESPONSE_FINISH_REASONS: [outcome.finish],
            genai.USAGE_INPUT_TOKENS: outcome.usage.input_tokens,
            genai.USAGE_OUTPUT_TOKENS: outcome.usage.output_tokens,
            genai.USAGE_CACHED_INPUT_TOKENS: outcome.usage.cached_tokens,
        }
    )
