"""What we send, held to what those who read traces document that they read of it.

Phoenix 20.26: tests/trials/test_phoenix.py asks it itself. Langfuse: "property mapping" of
https://langfuse.com/integrations/native/opentelemetry. LangSmith: "supported OpenTelemetry
attribute and event mapping" of https://docs.langchain.com/langsmith/trace-with-opentelemetry.
"""

from __future__ import annotations

import pytest

from tests.integration.tracing.told import ANSWERED, FAILED, STREAMED, Told

DOOR = "POST /v1/responses"
CHAT = "chat scripted"
OF_A_MESSAGE = (DOOR, "publish", "turn", "recall", "answer", CHAT, "remember")


def test_phoenix_is_told_the_kind_of_spans_that_it_has_views_for(told: Told) -> None:
    kinds = {
        name: told.attributes(ANSWERED, name).get("openinference.span.kind")
        for name in OF_A_MESSAGE
    }
    shown = {name: kind for name, kind in kinds.items() if kind is not None}
    assert shown == {DOOR: "CHAIN", "turn": "AGENT", CHAT: "LLM"}


def test_phoenix_finds_the_session_on_the_span_that_came_first(told: Told) -> None:
    assert told.attributes(ANSWERED, DOOR)["session.id"] == told.answers["conversation"]


def test_langfuse_finds_session_and_user_on_every_span(told: Told) -> None:
    conversation = told.answers["conversation"]
    for name in OF_A_MESSAGE:
        attributes = told.attributes(ANSWERED, name)
        assert attributes["session.id"] == conversation
        assert attributes["user.id"] == told.attributes(ANSWERED, DOOR)["user.id"]


@pytest.mark.parametrize("trace", [ANSWERED, STREAMED])
def test_langfuse_finds_model_parameters_and_usage_on_one_span_alone(
    told: Told, trace: str
) -> None:
    chat = told.attributes(trace, CHAT)
    assert chat["gen_ai.request.model"] == chat["gen_ai.response.model"] == "scripted"
    usage = {name for name in chat if name.startswith("gen_ai.usage.")}
    assert usage == {
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.reasoning.output_tokens",
    }
    assert chat["gen_ai.usage.input_tokens"] > 0
    others = [name for name in told.spans(trace) if name != CHAT]
    assert not [
        key for name in others for key in told.attributes(trace, name) if ".usage." in key
    ], "who sums them over the trace would count twice"


def test_langsmith_finds_the_thread_and_the_kind_of_run(told: Told) -> None:
    conversation = told.answers["conversation"]
    for name in OF_A_MESSAGE:
        thread = told.attributes(ANSWERED, name)["langsmith.metadata.thread_id"]
        assert thread == conversation
    assert told.attributes(ANSWERED, CHAT)["gen_ai.operation.name"] == "chat"
    assert told.attributes(ANSWERED, "turn")["gen_ai.operation.name"] == "invoke_agent"


def test_whoever_looks_for_errors_finds_their_class(told: Told) -> None:
    assert told.attributes(FAILED, CHAT)["error.type"]
    assert told.attributes(FAILED, CHAT)["gen_ai.provider.name"] == "first"
