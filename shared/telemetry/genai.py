"""Names that others read in our spans, pinned: OpenTelemetry's, Phoenix's, LangSmith's.

The conventions for GenAI are still in development and names have moved before (`gen_ai.system`
became `gen_ai.provider.name`). Whoever writes a span takes the name from here, so that a move is
one change in one file. `gen_ai.*` is pinned to semantic-conventions-genai v0.1.0, the rest to
OpenTelemetry's semantic conventions 1.44 and openinference-semantic-conventions 0.1. Langfuse
needs no names of its own: it reads these.
"""

from __future__ import annotations

from typing import Final

from shared.telemetry.tracing import AttributeValue

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.44.0"

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
AGENT_NAME: Final = "gen_ai.agent.name"

REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_STREAM: Final = "gen_ai.request.stream"

RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"

USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHED_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_CREATION_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"

ERROR_TYPE: Final = "error.type"
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_STATUS: Final = "http.response.status_code"

CHAT: Final = "chat"
"""The operation of a provider call; its span is named `chat <model>` and is a client span."""
INVOKE_AGENT: Final = "invoke_agent"
"""The operation of a turn."""

SPAN_KIND: Final = "openinference.span.kind"
"""Phoenix shows what it does not know the kind of as `unknown`, and sums tokens of `LLM` alone."""
KIND_CHAIN: Final = "CHAIN"
KIND_AGENT: Final = "AGENT"
KIND_LLM: Final = "LLM"

LANGSMITH_THREAD: Final = "langsmith.metadata.thread_id"
"""LangSmith puts traces with the same one into one thread."""

EVALUATION_RESULT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE: Final = "gen_ai.evaluation.score.value"
EVALUATION_LABEL: Final = "gen_ai.evaluation.score.label"

CONTENT: Final = frozenset(
    {
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.prompt",
        "gen_ai.completion",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.tool.definitions",
        "gen_ai.retrieval.documents",
        "gen_ai.retrieval.query.text",
        "gen_ai.evaluation.explanation",
    }
)
"""Attributes that hold what people and models wrote; they never leave this process."""


def evaluation_result(
    name: str, *, response_id: str, score: float | None = None, label: str | None = None
) -> tuple[str, dict[str, AttributeValue]]:
    """The event that says how good a response was found, to be added to a span.

    `score` is 0 to 1. There is no explanation: it would quote what people and models wrote.
    """
    told: dict[str, AttributeValue] = {EVALUATION_NAME: name, RESPONSE_ID: response_id}
    if score is not None:
        told[EVALUATION_SCORE] = score
    if label is not None:
        told[EVALUATION_LABEL] = label
    return EVALUATION_RESULT, told
