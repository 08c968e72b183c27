"""Where servers differ from OpenAI's own: what is tolerated, and what would be a wrong answer."""

from __future__ import annotations

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.providers.asking import Heard, failure, http_model, prompt
from tests.integration.providers.raw_server import RawServer
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import FinishReason, Usage
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http_model import HttpModel


@pytest.fixture
def provider(server: RawServer, connections: ProviderConnections) -> HttpModel:
    return http_model(connections, server.openai_url)


@pytest.mark.parametrize(
    ("body", "text", "finish", "usage"),
    [
        (b'{"choices":[{"message":{"content":"a"}}]}', "a", FinishReason.STOP, None),
        (
            b'{"choices":[{"message":{"content":"a"},"finish_reason":"eos"}],"usage":null}',
            "a",
            FinishReason.STOP,
            None,
        ),
        (
            b'{"choices":[{"message":{"content":null},"finish_reason":"length"}],'
            b'"usage":{"prompt_tokens":4,"completion_tokens":9,"prompt_tokens_details":null}}',
            "",
            FinishReason.LENGTH,
            Usage(input_tokens=4, output_tokens=9),
        ),
        (
            b'{"choices":[{"message":{"content":"a","extra":[1]},"finish_reason":"stop"}],"usage":'
            b'{"prompt_tokens":4,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":3}},'
            b'"timings":{"x":1.5}}',
            "a",
            FinishReason.STOP,
            Usage(input_tokens=4, output_tokens=1, cached_tokens=3),
        ),
        (
            b'{"choices":[{"message":{"content":null,"refusal":"I will not"},'
            b'"finish_reason":"content_filter"}]}',
            "I will not",
            FinishReason.CONTENT_FILTER,
            None,
        ),
    ],
)
async def test_a_body_with_other_fields_is_read(
    server: RawServer,
    provider: HttpModel,
    body: bytes,
    text: str,
    finish: FinishReason,
    usage: Usage | None,
) -> None:
    server.sends(body)

    answer = await provider.answer(prompt(), time_left_seconds=60)

    assert (answer.text, answer.finish) == (text, finish)
    assert answer.usage == usage or (usage is None and not answer.usage.reported)


@pytest.mark.parametrize(
    ("body", "error_class"),
    [
        (b'{"choices":[]}', ErrorClass.MALFORMED_ANSWER),
        (b"{}", ErrorClass.MALFORMED_ANSWER),
        (b"", ErrorClass.MALFORMED_ANSWER),
        (b"[" * 100_000, ErrorClass.MALFORMED_ANSWER),
        (b'{"choices":[{"message":{"content":7}}]}', ErrorClass.MALFORMED_ANSWER),
        (
            b'{"choices":[{"message":{"content":"half"},"finish_reason":"abort"}]}',
            ErrorClass.CUT_STREAM,
        ),
        (
            b'{"choices":[{"message":{"content":null,"tool_calls":[{"id":"1"}]},'
            b'"finish_reason":"tool_calls"}]}',
            ErrorClass.TOOL_CALLED,
        ),
        (b"x" * (17 * 1024 * 1024), ErrorClass.MALFORMED_ANSWER),
    ],
    ids=["no choice", "no field", "empty", "deep", "number", "abort", "tool", "huge"],
)
async def test_a_body_that_would_be_a_wrong_answer_is_an_error(
    server: RawServer, provider: HttpModel, body: bytes, error_class: ErrorClass
) -> None:
    server.sends(body)

    assert (await failure(provider)).error_class is error_class


HI = '{"choices":[{"delta":{"content":"Hi"}}]}'
END = '{"choices":[{"delta":{},"finish_reason":"stop"}]}'
USAGE = '{"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":1}}'


@pytest.mark.parametrize(
    ("data", "head"),
    [
        ((HI, END, USAGE, "[DONE]"), ""),
        ((HI, END, USAGE), ""),
        ((HI, USAGE, "[DONE]"), ": keep-alive\n\n"),
        (
            (
                '{"choices":[{"delta":{"role":"assistant","content":null}}],"usage":null}',
                '{"choices":[{"delta":{"reasoning_content":"hm"}}],"error":null}',
                HI,
                '{"choices":[{"delta":null,"finish_reason":"stop"}],'
                '"usage":{"prompt_tokens":4,"completion_tokens":1}}',
                "[DONE]",
            ),
            "",
        ),
        ((HI, END, USAGE, " [DONE] "), "event: ready\nid: 1\nretry: 5\n\n"),
    ],
)
async def test_a_stream_with_other_habits_is_read(
    server: RawServer, provider: HttpModel, data: tuple[str, ...], head: str
) -> None:
    server.streams(*data, head=head)
    heard = Heard()

    answer = await provider.answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert answer.text == heard.text == "Hi"
    assert answer.usage == Usage(input_tokens=4, output_tokens=1)
    assert server.asked["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("data", "error_class"),
    [
        ((HI,), ErrorClass.CUT_STREAM),
        ((), ErrorClass.CUT_STREAM),
        ((HI, '{"choices":[{"delta":{},"finish_reason":"error"}]}'), ErrorClass.CUT_STREAM),
        (("[DONE]",), ErrorClass.MALFORMED_ANSWER),
        ((HI, "not json"), ErrorClass.MALFORMED_ANSWER),
        ((HI, '{"error":{"message":"slow down","code":429}}'), ErrorClass.RATE_LIMITED),
        (('{"error":{"message":"x","type":"invalid_request_error"}}',), ErrorClass.INVALID_REQUEST),
        (('{"error":"out of memory"}',), ErrorClass.SERVER_ERROR),
        (("x" * 2_000_000,), ErrorClass.MALFORMED_ANSWER),
    ],
)
async def test_a_stream_that_would_be_a_wrong_answer_is_an_error(
    server: RawServer,
    provider: HttpModel,
    data: tuple[str, ...],
    error_class: ErrorClass,
) -> None:
    server.streams(*data)

    assert (await failure(provider, heard=Heard())).error_class is error_class


async def test_a_redirect_is_never_followed(server: RawServer, provider: HttpModel) -> None:
    server.response = {"status": 307, "headers": {"Location": "/v1/chat/completions"}}

    assert (await failure(provider)).error_class is ErrorClass.MISCONFIGURED
    assert server.calls == 1


async def test_the_request_says_what_the_prompt_says_and_nothing_else(
    server: RawServer, provider: HttpModel
) -> None:
    server.sends(b'{"choices":[{"message":{"content":"a"}}]}')
    await provider.answer(
        prompt("x", temperature=0.0, stop=("\n",), extra={"seed": 7, "model": "other"}),
        time_left_seconds=60,
    )

    assert server.asked == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "x"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.0,
        "stop": ["\n"],
        "seed": 7,
    }


async def test_an_exhausted_quota_is_no_rate_limit(
    scripted: ScriptedProvider, connections: ProviderConnections
) -> None:
    scripted.script(Behaviour(kind=Kind.OUT_OF_CREDIT))
    provider = http_model(connections, scripted.openai_url)

    assert (await failure(provider)).error_class is ErrorClass.UNAUTHORISED
