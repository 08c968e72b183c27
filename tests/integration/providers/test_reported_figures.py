"""The figures that providers report: read in any shape, and believed only where they can be."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.integration.providers.asking import BuildFor, Heard, prompt
from tests.integration.providers.raw_server import RawServer
from tests.integration.providers.wire_words import ANTHROPIC, BLOCK, OPENAI
from workers.providers.outcome import Answer, Usage

USAGES = {
    "floats": (
        OPENAI,
        '{"prompt_tokens":10.0,"completion_tokens":3.0}',
        Usage(input_tokens=10, output_tokens=3),
    ),
    "texts": (
        OPENAI,
        '{"prompt_tokens":"10","completion_tokens":"3"}',
        Usage(input_tokens=10, output_tokens=3),
    ),
    "what DeepSeek had cached": (
        OPENAI,
        '{"prompt_tokens":10,"completion_tokens":3,"prompt_cache_hit_tokens":8}',
        Usage(input_tokens=10, output_tokens=3, cached_tokens=8),
    ),
    "what went into the cache": (
        ANTHROPIC,
        '{"input_tokens":2,"output_tokens":3,"cache_read_input_tokens":5,'
        '"cache_creation_input_tokens":4}',
        Usage(input_tokens=11, output_tokens=3, cached_tokens=5, cache_write_tokens=4),
    ),
}


@pytest.mark.parametrize(("wire", "usage", "read"), USAGES.values(), ids=USAGES)
async def test_figures_are_read_in_every_usual_shape(
    server: RawServer, build_for: BuildFor, wire: str, usage: str, read: Usage
) -> None:
    said = {
        OPENAI: '{"choices":[{"message":{"content":"Hi"}}],"usage":%s}',
        ANTHROPIC: '{"content":[{"type":"text","text":"Hi"}],"usage":%s}',
    }
    server.sends((said[wire] % usage).encode())

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60)

    assert isinstance(answer, Answer)
    assert answer.usage == read


UNBELIEVED = {
    "zeros": (0, 0),
    "no input": (0, 3),
    "no output": (10, 0),
    "millions": (90_000_000, 90_000_000),
    "more than the text and what comes before it": (200_000, 3),
    "more than any model thinks": (10, 400_000),
}


@pytest.mark.parametrize(("tokens_in", "tokens_out"), UNBELIEVED.values(), ids=UNBELIEVED)
async def test_figures_that_cannot_be_are_estimates(
    server: RawServer, build_for: BuildFor, tokens_in: int, tokens_out: int
) -> None:
    usage = f'{{"prompt_tokens":{tokens_in},"completion_tokens":{tokens_out}}}'
    server.sends(
        b'{"choices":[{"message":{"content":"Hi there"}}],"usage":' + usage.encode() + b"}"
    )

    answer = await build_for(OPENAI).answer(prompt(), time_left_seconds=60)

    assert isinstance(answer, Answer)
    assert not answer.usage.reported
    assert 0 < answer.usage.input_tokens < 100
    assert 0 < answer.usage.output_tokens < 100


async def test_a_limit_of_the_call_bounds_the_figures(
    server: RawServer, build_for: BuildFor
) -> None:
    server.sends(
        b'{"choices":[{"message":{"content":"Hi"}}],'
        b'"usage":{"prompt_tokens":10,"completion_tokens":5000}}'
    )

    answer = await build_for(OPENAI).answer(prompt(max_output_tokens=100), time_left_seconds=60)

    assert isinstance(answer, Answer)
    assert not answer.usage.reported


async def test_a_later_zero_replaces_no_figure(server: RawServer, build_for: BuildFor) -> None:
    server.streams(
        '{"type":"message_start","message":{"content":[],"usage":{"input_tokens":9,'
        '"cache_read_input_tokens":20}}}',
        BLOCK,
        '{"type":"message_delta","delta":{"stop_reason":"end_turn"},'
        '"usage":{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":2}}',
    )

    answer = await build_for(ANTHROPIC).answer(prompt(), time_left_seconds=60, on_delta=Heard())

    assert isinstance(answer, Answer)
    assert answer.usage == Usage(input_tokens=29, output_tokens=2, cached_tokens=20)


@pytest.mark.parametrize(
    ("cost", "read"),
    [
        ("0.0123", Decimal("0.0123")),
        ('{"total_cost":0.006,"request_cost":0.005}', Decimal("0.006")),
        ("0", None),
        ("5000", None),
        ("-1", None),
        ('"NaN"', None),
        ("[]", None),
    ],
)
async def test_what_a_provider_asks_for_the_call_is_read_where_it_can_be(
    server: RawServer, build_for: BuildFor, cost: str, read: Decimal | None
) -> None:
    usage = f'{{"prompt_tokens":10,"completion_tokens":3,"cost":{cost}}}'
    server.sends(b'{"choices":[{"message":{"content":"Hi"}}],"usage":' + usage.encode() + b"}")

    answer = await build_for(OPENAI).answer(prompt(), time_left_seconds=60)

    assert isinstance(answer, Answer)
    assert answer.usage.cost == read
