"""Answers in the wrong shape, in both wire formats: no answer, half an answer, never a crash."""

from __future__ import annotations

import pytest

from tests.integration.providers.asking import BuildFor, Heard, failure, prompt
from tests.integration.providers.raw_server import RawServer
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, Oddity

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
        b'{"choices":[{"message":{"content":7},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":{"text":"Hi"}}}]}',
        b'{"choices":[{"message":{"content":"\\u0000"}}]}',
        b'{"content":[{"type":"text","text":"the other format"}]}',
    ],
    "anthropic": [
        *ANYWHERE,
        b"{}",
        b'{"content":null}',
        b'{"content":{}}',
        b'{"content":[]}',
        b'{"content":[null]}',
        b'{"content":[{}]}',
        b'{"content":[7],"stop_reason":"end_turn"}',
        b'{"content":[{"type":"text","text":null}]}',
        b'{"content":[{"type":"text","text":7}]}',
        b'{"content":[{"type":7,"text":"Hi"}]}',
        b'{"content":[{"type":"text","text":"\\u0000"}]}',
        b'{"choices":[{"message":{"content":"the other format"}}]}',
    ],
}
HI = {
    "openai": '{"choices":[{"delta":{"content":"Hi"}}]}',
    "anthropic": '{"type":"content_block_delta","delta":{"type":"text_delta","text":"Hi"}}',
}
END = {
    "openai": '{"choices":[{"delta":{},"finish_reason":"stop"}]}',
    "anthropic": '{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
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
        '{"choices":[{"delta":{},"finish_reason":7}]}',
        '{"choices":[{"delta":{"content":"Hi',
        "{" * 50_000,
    ],
    "anthropic": [
        "null",
        "[]",
        "7",
        "{}",
        '{"type":7}',
        '{"type":"message_start","message":7}',
        '{"type":"content_block_delta","delta":"Hi"}',
        '{"type":"content_block_delta","delta":{"text":7}}',
        '{"type":"message_delta","delta":{"stop_reason":7}}',
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


@pytest.mark.parametrize(("wire", "body"), named(WHOLE))
async def test_a_whole_answer_of_the_wrong_shape_is_malformed(
    server: RawServer, build_for: BuildFor, wire: str, body: bytes
) -> None:
    server.sends(body)

    error = await failure(build_for(wire))
    assert (error.error_class, error.retryable) == (ErrorClass.MALFORMED_ANSWER, True)


@pytest.mark.parametrize(("wire", "chunk"), named(CHUNK))
async def test_a_chunk_of_the_wrong_shape_makes_no_answer_of_what_came_before(
    server: RawServer, build_for: BuildFor, wire: str, chunk: str
) -> None:
    server.streams(HI[wire], chunk)
    heard = Heard()

    error = await failure(build_for(wire), heard=heard)
    assert error.error_class in (ErrorClass.MALFORMED_ANSWER, ErrorClass.CUT_STREAM)
    assert (heard.text, error.after_first_token) == ("Hi", True)


@pytest.mark.parametrize(("wire", "chunk"), named(CHUNK))
async def test_a_chunk_of_the_wrong_shape_between_good_ones_is_skipped_and_counted(
    server: RawServer, build_for: BuildFor, wire: str, chunk: str
) -> None:
    server.streams(HI[wire], chunk, HI[wire], END[wire])
    heard = Heard()

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert isinstance(answer, Answer)
    assert answer.text == heard.text == "HiHi"
    assert answer.oddities & {Oddity.UNREADABLE_CHUNK, Oddity.ODD_FIELD}
    assert not answer.is_certain, "it may lack a part, so nobody else is given it"


@pytest.mark.parametrize(("wire", "chunk"), named(CHUNK))
async def test_an_end_mark_alone_does_not_make_up_for_a_chunk_that_could_not_be_read(
    server: RawServer, build_for: BuildFor, wire: str, chunk: str
) -> None:
    server.streams(HI[wire], chunk, "[DONE]")

    error = await failure(build_for(wire), heard=Heard())
    assert error.error_class is ErrorClass.MALFORMED_ANSWER


@pytest.mark.parametrize("wire", BOTH)
@pytest.mark.parametrize("streamed", [False, True])
async def test_a_page_of_a_web_server_is_a_wrong_address(
    server: RawServer, build_for: BuildFor, wire: str, streamed: bool
) -> None:
    server.sends(b"\n<html><body>It works!</body></html>", content_type="text/html")

    error = await failure(build_for(wire), heard=Heard() if streamed else None)
    assert error.error_class is ErrorClass.MISCONFIGURED
    assert "<" not in error.message


@pytest.mark.parametrize("wire", BOTH)
@pytest.mark.parametrize("keep", ["data: {half}", "da", "event: ping\ndata"])
async def test_a_stream_that_ends_in_the_middle_of_an_event_was_cut(
    server: RawServer, build_for: BuildFor, wire: str, keep: str
) -> None:
    whole = HI[wire]
    rest = keep.replace("{half}", whole[: len(whole) // 2])
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
    server: RawServer, build_for: BuildFor, wire: str, tokens: str
) -> None:
    server.sends((USAGE[wire] % tokens).encode())

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60)
    assert isinstance(answer, Answer)
    assert (answer.text, answer.model) == ("Hi there", "m")
    assert not answer.usage.reported
    assert 0 < answer.usage.input_tokens < 100


@pytest.mark.parametrize("wire", BOTH)
async def test_the_words_of_an_error_can_be_stored(
    server: RawServer, build_for: BuildFor, wire: str
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
    server: RawServer, build_for: BuildFor, wire: str, end: list[str]
) -> None:
    server.streams(HI[wire].replace("Hi", "H\\u0000i"), HI[wire].replace("Hi", "\\u0000"), *end)
    heard = Heard()

    answer = await build_for(wire).answer(prompt(), time_left_seconds=60, on_delta=heard)
    assert isinstance(answer, Answer)
    assert answer.text == heard.text == "Hi"
