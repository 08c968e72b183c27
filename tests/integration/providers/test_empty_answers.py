"""A model that says nothing: booked as reported, and told apart from a server that is broken."""

from __future__ import annotations

import pytest

from tests.integration.providers.asking import BuildFor, Heard, failure
from tests.integration.providers.raw_server import RawServer
from tests.integration.providers.wire_words import ANTHROPIC, OPENAI
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Usage

BEGUN = '{"type":"message_start","message":{"usage":{"input_tokens":40,"output_tokens":1}}}'
THOUGHT = '{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}'
ENDED = '{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":7}}'
STOPPED = (
    '{"choices":[{"delta":{"content":%s},"finish_reason":"stop"}],'
    '"usage":{"prompt_tokens":40,"completion_tokens":7}}'
)


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        (OPENAI, (STOPPED % '""',)),
        (OPENAI, (STOPPED % "null", "[DONE]")),
        (ANTHROPIC, (BEGUN, ENDED)),
        (ANTHROPIC, (BEGUN, THOUGHT, ENDED)),
    ],
    ids=["openai", "null", "anthropic", "only thoughts"],
)
async def test_a_model_that_stops_without_a_word_is_booked_as_it_reports(
    server: RawServer, build_for: BuildFor, wire: str, data: tuple[str, ...]
) -> None:
    server.streams(*data)

    error = await failure(build_for(wire), heard=Heard())

    assert (error.error_class, error.retryable) == (ErrorClass.EMPTY_ANSWER, True)
    assert error.usage == Usage(input_tokens=40, output_tokens=7)


@pytest.mark.parametrize(
    ("wire", "data"),
    [
        (OPENAI, ("[DONE]",)),
        (OPENAI, (STOPPED % "7",)),
        (ANTHROPIC, (BEGUN, '{"type":"message_stop"}')),
    ],
    ids=["no reason", "content that is no text", "no message_delta"],
)
async def test_a_server_that_gives_no_reason_or_cannot_be_read_is_broken(
    server: RawServer, build_for: BuildFor, wire: str, data: tuple[str, ...]
) -> None:
    server.streams(*data)

    assert (await failure(build_for(wire), heard=Heard())).error_class is (
        ErrorClass.MALFORMED_ANSWER
    )
