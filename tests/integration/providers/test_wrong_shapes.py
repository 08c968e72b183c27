"""Answers in the wrong shape, in both wire formats: a malformed answer, never a crash."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp
import pytest

from tests.integration.providers.asking import Heard, HttpProvider, failure, prompt
from tests.integration.providers.raw_server import RawServer
from workers.providers.anthropic import AnthropicProvider
from workers.providers.error_class import ErrorClass
from workers.providers.openai_compatible import OpenAICompatibleProvider
from workers.providers.outcome import Answer
from workers.providers.wire.model_choice import ModelChoice

BOTH = ["openai", "anthropic"]

ANYWHERE = [
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"7",
    b"{",
    b"\xff\xfe{}",
    b'{"a":"\xff"}',
    b"<html><body>It works!</body></html>",
    b"{" * 50_000,
]
WHOLE = {
    "openai": [
        *ANYWHERE,
        b"{}",
        b'{"choices":null}',
        b'{"choices":{}}',
        b'{"choices":[]}',
        b'{"choices":[null]}',
        b'{"choices":[{}]}',
        b'{"choices":[{"message":null}]}',
        b'{"choices":[{"message":"Hi"}]}',
        b'{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":["Hi"]}}]}',
        b'{"choices":[{"message":{"content":{"text":"Hi"}}}]}',
        b'{"choices":[{"message":{"content":"Hi"},"finish_reason":7}]}',
        b'{"choices":[{"message":{"content":"Hi"}}],"model":["m"]}',
        b'{"choices":[{"message":{"content":"Hi"}}],"usage":"many"}',
        b'{"choices":[{"message":{"content":"Hi"}}],"usage":{"prompt_tokens":"4"}}',
        b'{"choices":[{"message":{"content":"a\\ud800b"}}]}',
        b'{"choices":[{"message":{"content":"\\u0000"}}]}',
        b'{"content":[{"type":"text","text":"the other format"}]}',
    ],
    "anthropic": [
        *ANYWHERE,
        b"{}",
        b'{"content":null}',
        b'{"content":"Hi"}',
        b'{"content":{}}',
        b'{"content":[]}',
        b'{"content":[null]}',
        b'{"content":["Hi"]}',
        b'{"content":[{}]}',
        b'{"content":[{"type":"text"}],"stop_reason":"end_turn"}',
        b'{"content":[{"type":"text","text":null}]}',
        b'{"content":[{"type":"text","text":7}]}',
        b'{"content":[{"type":7,"text":"Hi"}]}',
        b'{"content":[{"type":"text","text":"Hi"}],"stop_reason":[]}',
        b'{"content":[{"type":"text","text":"Hi"}],"usage":[]}',
        b'{"content":[{"type":"text","text":"Hi"}],"usage":{"input_tokens":"4"}}',
        b'{"content":[{"type":"text","text":"\\u0000"}]}',
        b'{"choices":[{"message":{"content":"the other format"}}]}',
    ],
}
HI = {
    "openai": '{"choices":[{"delta":{"content":"Hi"}}]}',
    "anthropic": '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}',
}
CHUNK = {
    "openai": [
        "null",
        "[]",
        "7",
        '{"choices":{}}',
        '{"choices":[null]}',
        '{"choices":[{"delta":"Hi"}]}',
        '{"choices":[{"delta":{"content":7}}]}',
        '{"choices":[{"delta":{"content":["Hi"]}}]}',
        '{"choices":[{"delta":{},"finish_reason":7}]}',
        '{"choices":[],"usage":7}',
        '{"choices":[{"delta":{"content":"Hi',
        "{" * 50_000,
    ],
    "anthropic": [
        "null",
        "[]",
        "7",
        "{}",
        '{"type":7}',
        '{"type":"message_start","message":"Hi"}',
        '{"type":"content_block_delta","delta":"Hi"}',
        '{"type":"content_block_delta","delta":{"text":7}}',
        '{"type":"message_delta","delta":{"stop_reason":7}}',
        '{"type":"message_delta","usage":7}',
        '{"type":"content_block_delta","delta":{"text":"Hi',
        "{" * 50_000,
    ],
}


def named(cases: dict[str, list[bytes]] | dict[str, list[str]]) -> list[object]:
    return [
        pytest.param(wire, case, id=f"{wire}-{case[:60]!r}")
        for wire in BOTH
        for case in cases[wire]
    ]


@pytest.fixture
def build_for(server: RawServer, session: aiohttp.ClientSession) -> Callable[[str], HttpProvider]:
    def build(wire: str) -> HttpProvider:
        models = ModelChoice(default="m")
        if wire == "openai":
            return OpenAICompatibleProvider(
                session, name="model", base_url=server.openai_url, models=models
            )
        return AnthropicProvider(session, name="model", base_url=server.url, models=models)

    return build


@pytest.mark.parametrize(("wire", "body"), named(WHOLE))
async def test_a_whole_answer_of_the_wrong_shape_is_malformed(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str, body: bytes
) -> None:
    server.sends(body)

    error = await failure(build_for(wire))
    assert (error.error_class, error.retryable) == (ErrorClass.MALFORMED_ANSWER, True)


@pytest.mark.parametrize(("wire", "chunk"), named(CHUNK))
async def test_a_chunk_of_the_wrong_shape_is_malformed_and_says_what_had_arrived(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str, chunk: str
) -> None:
    server.streams(HI[wire], chunk)
    heard = Heard()

    error = await failure(build_for(wire), heard=heard)
    assert error.error_class is ErrorClass.MALFORMED_ANSWER
    assert (heard.text, error.after_first_token) == ("Hi", True)


@pytest.mark.parametrize("wire", BOTH)
@pytest.mark.parametrize("content_type", ["application/json", "text/html", "text/plain"])
async def test_something_other_than_a_stream_is_malformed(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str, content_type: str
) -> None:
    server.sends(f"data: {HI[wire]}\n\n".encode(), content_type=content_type)

    error = await failure(build_for(wire), heard=Heard())
    assert error.error_class is ErrorClass.MALFORMED_ANSWER


@pytest.mark.parametrize("wire", BOTH)
@pytest.mark.parametrize("keep", ["data: {half}", "data: {whole}", "da", "event: ping\ndata"])
async def test_a_stream_that_ends_in_the_middle_of_an_event_was_cut(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str, keep: str
) -> None:
    whole = HI[wire]
    rest = keep.replace("{half}", whole[: len(whole) // 2]).replace("{whole}", whole)
    server.sends(f"data: {whole}\n\n{rest}".encode(), content_type="text/event-stream")
    heard = Heard()

    error = await failure(build_for(wire), heard=heard)
    assert (error.error_class, error.after_first_token) == (ErrorClass.CUT_STREAM, True)
    assert heard.text == "Hi"


USAGE = {
    "openai": '{"choices":[{"message":{"content":"Hi\\u0000 there"}}],"model":"m\\u0000",'
    '"usage":{"prompt_tokens":%s,"completion_tokens":1}}',
    "anthropic": '{"content":[{"type":"text","text":"Hi\\u0000 there"}],"model":"m\\u0000",'
    '"usage":{"input_tokens":%s,"output_tokens":1}}',
}


@pytest.mark.parametrize("wire", BOTH)
@pytest.mark.parametrize("tokens", ["-5", "1000000000000", "9" * 40])
async def test_figures_that_no_model_reaches_are_estimated_and_what_cannot_be_stored_is_left_out(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str, tokens: str
) -> None:
    server.sends((USAGE[wire] % tokens).encode())

    answer = await build_for(wire).answer(prompt(), time_left_seconds=5)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.model) == ("Hi there", "m")
    assert not answer.usage.reported
    assert 0 < answer.usage.input_tokens < 100


@pytest.mark.parametrize("wire", BOTH)
async def test_the_words_of_an_error_can_be_stored(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str
) -> None:
    body = b'{"error":{"message":"no\\u0000 way","type":"api_error"}}'
    server.response = {"status": 500, "body": body, "content_type": "application/json"}

    assert "no way" in (await failure(build_for(wire))).message


@pytest.mark.parametrize(
    ("wire", "end"),
    [
        ("openai", ['{"choices":[{"delta":{},"finish_reason":"stop"}]}', "[DONE]"]),
        ("anthropic", ['{"type":"message_stop"}']),
    ],
)
async def test_a_stream_leaves_out_what_cannot_be_stored(
    server: RawServer, build_for: Callable[[str], HttpProvider], wire: str, end: list[str]
) -> None:
    server.streams(HI[wire].replace("Hi", "H\\u0000i"), HI[wire].replace("Hi", "\\u0000"), *end)
    heard = Heard()

    answer = await build_for(wire).answer(prompt(), time_left_seconds=5, on_delta=heard)
    assert isinstance(answer, Answer)
    assert answer.text == heard.text == "Hi"
