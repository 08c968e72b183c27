"""Failures that come behind a 200, whole or in the middle of a stream."""

from __future__ import annotations

import pytest

from tests.integration.providers.asking import BuildFor, Heard, failure
from tests.integration.providers.raw_server import RawServer
from tests.integration.providers.wire_words import ANTHROPIC, BLOCK, DELTA, OPENAI, events
from workers.providers.error_class import ErrorClass

FAILURES = {
    "object error": '{"object":"error","message":"CUDA out of memory","code":50001}',
    "type error": '{"type":"error","error":{"type":"overloaded_error"}}',
    "detail": '{"detail":"worker died"}',
    "message": '{"message":"worker died"}',
    "code": '{"code":500}',
    "a text": '{"error":"worker died"}',
}


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("told", FAILURES.values(), ids=FAILURES)
async def test_half_an_answer_before_a_failure_in_any_words_is_no_answer(
    server: RawServer, build_for: BuildFor, wire: str, told: str
) -> None:
    server.streams(DELTA if wire == OPENAI else BLOCK, told, "[DONE]")

    error = await failure(build_for(wire), heard=Heard())

    assert error.error_class is ErrorClass.SERVER_ERROR
    assert error.after_first_token


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("data", ["no JSON at all", "{}", '{"text":"the engine stopped"}', ""])
async def test_an_event_named_error_is_a_failure_whatever_it_holds(
    server: RawServer, build_for: BuildFor, wire: str, data: str
) -> None:
    first = events(DELTA if wire == OPENAI else BLOCK)
    server.sends(
        first + f"event: error\ndata: {data}\n\ndata: [DONE]\n\n".encode(),
        content_type="text/event-stream",
    )

    assert (await failure(build_for(wire), heard=Heard())).error_class is ErrorClass.SERVER_ERROR


BEHIND_200 = {
    '{"error":{"code":429}}': ErrorClass.RATE_LIMITED,
    '{"error":{"code":"429","message":"slow down"}}': ErrorClass.RATE_LIMITED,
    '{"error":{"code":401}}': ErrorClass.UNAUTHORISED,
    '{"error":{"message":"Invalid API key"}}': ErrorClass.UNAUTHORISED,
    '{"error":{"code":402,"message":"Insufficient credits"}}': ErrorClass.UNAUTHORISED,
    '{"error":{"status":"RESOURCE_EXHAUSTED"}}': ErrorClass.RATE_LIMITED,
    '{"error":{"code":503}}': ErrorClass.SERVER_ERROR,
    '{"error":{"code":"context_length_exceeded"}}': ErrorClass.CONTEXT_TOO_LONG,
    '{"error":{"code":"model_not_found"}}': ErrorClass.MISCONFIGURED,
    '[{"error":{"code":429}}]': ErrorClass.RATE_LIMITED,
    '{"object":"error","message":"no","type":"BadRequestError","code":400}': (
        ErrorClass.INVALID_REQUEST
    ),
}


@pytest.mark.parametrize("wire", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("body", "error_class"), BEHIND_200.items())
async def test_an_error_behind_a_200_has_the_class_of_its_code(
    server: RawServer,
    build_for: BuildFor,
    wire: str,
    body: str,
    error_class: ErrorClass,
    streamed: bool,
) -> None:
    server.sends(body.encode())
    whole = await failure(build_for(wire), heard=Heard() if streamed else None)
    assert whole.error_class is error_class

    if streamed and not body.startswith("["):
        server.streams(body)
        assert (await failure(build_for(wire), heard=Heard())).error_class is error_class
