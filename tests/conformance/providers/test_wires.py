"""What every provider of models makes of the bytes of its wire format, however they come."""

from __future__ import annotations

import pytest

from tests.conformance.providers.adapters import Adapter, Build
from tests.conformance.providers.playing_server import JSON, STREAM, PlayingServer
from tests.integration.providers.asking import QUESTION, Heard, failure, prompt
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer, FinishReason, Oddity, Usage
from workers.providers.provider import Provider

TEXT = "Ünï 👋 – you said:\n\nhow?"
PIECES = ("Ünï ", "👋 ", "– you said:\n\n", "how?")
USAGE = Usage(input_tokens=40, output_tokens=9, cached_tokens=30)
BODIES = {
    "nothing": b"",
    "blank": b"\n\n  \n",
    "half an object": b'{"choices": [{"mess',
    "null": b"null",
    "a number": b"17",
    "an empty object": b"{}",
    "an empty list": b"[]",
    "deep": b"[" * 100_000,
    "no text": "\ud800".encode("utf-8", "surrogatepass"),
    "a page": b"<!doctype html><title>nginx</title>",
    "events of nobody's": b"data: 1\n\ndata: []\n\ndata: {}\n\n",
    "half an event": b"data: {",
}


@pytest.fixture
def asked(build: Build, server: PlayingServer) -> Provider:
    return build(server.url, first_token_seconds=60, idle_seconds=60)


def whole_stream(adapter: Adapter) -> list[str]:
    pieces = [adapter.words.piece(piece) for piece in PIECES]
    return [*pieces, *adapter.words.closing(usual_finish(adapter), USAGE)]


def usual_finish(adapter: Adapter) -> str:
    return next(iter(adapter.words.finishes))


async def test_the_request_asks_for_a_stream_where_and_as_the_api_wants_it(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(*whole_stream(adapter))

    await asked.answer(prompt(max_output_tokens=17, stop=("X",)), time_left_seconds=60)

    assert server.paths == [adapter.path]
    header, value = adapter.key
    assert server.headers[0][header] == value
    (body,) = server.asked
    assert (body["model"], body["stream"]) == ("small", True)
    assert {"role": "user", "content": QUESTION} in body["messages"]  # type: ignore[operator]
    assert 17 in body.values()
    assert ["X"] in body.values()


async def test_a_whole_body_is_an_answer_that_says_so(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    body = adapter.words.whole(TEXT, usual_finish(adapter), USAGE)
    server.sends(JSON, body.encode())
    heard = Heard()

    answer = await asked.answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert answer == Answer(
        text=TEXT,
        model="small",
        finish=FinishReason.STOP,
        usage=USAGE,
        oddities=frozenset({Oddity.NO_STREAM}),
    )
    assert heard.text == TEXT


@pytest.mark.parametrize("size", [1, 2, 7, 64, 1_000_000])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
async def test_the_same_bytes_are_the_same_answer_however_they_are_cut(
    adapter: Adapter, asked: Provider, server: PlayingServer, size: int, line_end: str
) -> None:
    said = "".join(f"data: {event}\n\n" for event in whole_stream(adapter))
    body = said.replace("\n", line_end).encode()
    server.sends(STREAM, *(body[at : at + size] for at in range(0, len(body), size)))
    heard = Heard()

    answer = await asked.answer(prompt(), time_left_seconds=10, on_delta=heard)

    assert answer == Answer(text=TEXT, model="small", finish=FinishReason.STOP, usage=USAGE)
    assert heard.text == TEXT
    assert len(server.asked) == 1


@pytest.mark.parametrize("reason", FinishReason)
async def test_each_reason_to_stop_is_told_apart(
    adapter: Adapter, asked: Provider, server: PlayingServer, reason: FinishReason
) -> None:
    words = [word for word, meant in adapter.words.finishes.items() if meant is reason]
    assert words
    for word in words:
        server.streams(adapter.words.piece("Hi"), *adapter.words.closing(word, USAGE))
        assert (await asked.answer(prompt(), time_left_seconds=60)).finish is reason


async def test_figures_that_are_missing_or_cannot_be_are_estimated(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    impossible = Usage(input_tokens=2**40, output_tokens=2**40)
    for usage, oddities in ((None, frozenset()), (impossible, frozenset({Oddity.ODD_FIGURES}))):
        closing = adapter.words.closing(usual_finish(adapter), usage)
        server.streams(adapter.words.piece("Hi"), *closing)
        answer = await asked.answer(prompt(), time_left_seconds=60)
        assert answer.usage == Usage(input_tokens=12, output_tokens=1, reported=False)
        assert answer.oddities == oddities


async def test_a_stream_that_is_cut_keeps_what_was_heard_and_is_no_answer(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    for pieces in ((), ("Hi",)):
        server.streams(*map(adapter.words.piece, pieces), ends="cut")
        heard = Heard()
        error = await failure(asked, heard=heard)
        assert error.error_class is ErrorClass.CUT_STREAM
        assert error.after_first_token is bool(pieces)
        assert heard.text == "".join(pieces)


async def test_what_is_cut_after_the_reason_to_stop_is_whole(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    stop, *_ = adapter.words.closing(usual_finish(adapter), None)
    server.streams(adapter.words.piece("Hi"), stop, ends="cut")

    answer = await asked.answer(prompt(), time_left_seconds=60)

    assert (answer.text, answer.finish, answer.is_certain) == ("Hi", FinishReason.STOP, True)


async def test_a_chunk_that_cannot_be_read_is_left_out_and_counted(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    server.streams(adapter.words.piece("H"), "{{", *whole_stream(adapter))

    answer = await asked.answer(prompt(), time_left_seconds=60)

    assert answer.text == f"H{TEXT}"
    assert not answer.is_certain
    assert answer.oddities == {Oddity.UNREADABLE_CHUNK}


async def test_a_tool_that_nobody_offered_is_no_answer(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    closing = adapter.words.closing(usual_finish(adapter), USAGE)
    server.streams(adapter.words.tool_call(), *closing)

    error = await failure(asked)

    assert error.error_class is ErrorClass.TOOL_CALLED
    assert error.usage == USAGE


@pytest.mark.parametrize("content_type", [JSON, STREAM, "text/plain"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_any_other_body_is_one_of_our_failures(
    asked: Provider, server: PlayingServer, body: bytes, content_type: str
) -> None:
    server.sends(content_type, body)

    error = await failure(asked)

    assert error.error_class in {
        ErrorClass.MALFORMED_ANSWER,
        ErrorClass.CUT_STREAM,
        ErrorClass.MISCONFIGURED,
    }


async def test_characters_that_no_ledger_stores_are_left_out(
    adapter: Adapter, asked: Provider, server: PlayingServer
) -> None:
    closing = adapter.words.closing(usual_finish(adapter), USAGE)
    server.streams(adapter.words.piece("ä\0b"), adapter.words.piece("\0"), *closing)
    heard = Heard()

    answer = await asked.answer(prompt(), time_left_seconds=60, on_delta=heard)

    assert answer.text == heard.text == "äb"
