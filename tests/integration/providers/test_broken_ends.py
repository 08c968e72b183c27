"""A connection that breaks: what had been said stands, and what had been heard is paid for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.integration.providers.asking import Heard, failure, http_model, prompt
from tests.integration.providers.wire_words import (
    ANTHROPIC,
    BLOCK,
    DELTA,
    END,
    OPENAI,
    STOP,
    events,
)
from workers.providers.error_class import ErrorClass
from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http_model import HttpModel
from workers.providers.wire.timeouts import Timeouts

THOUGHT = '{"choices":[{"delta":{"reasoning_content":"%s"}}]}' % ("hm, " * 100)
USED = '{"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":9}}'
BEGUN = '{"type":"message_start","message":{"usage":{"input_tokens":40,"output_tokens":1}}}'
LONG = '{"type":"content_block_delta","delta":{"type":"text_delta","text":"%s"}}' % ("road " * 80)
FILTERED = '{"choices":[{"delta":{},"finish_reason":"content_filter"}]}'
BROKEN_OFF = '{"choices":[{"delta":{},"finish_reason":"error"}]}'
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nTransfer-Encoding: chunked\r\n\r\n"
RESTS = {
    "cut": b"",
    "silent": None,
    "an event without end": b"110000\r\n" + b"data: " + b"x" * 0x10FFFA + b"\r\n",
}
"""What comes instead of the end; None: the connection stands and nothing comes."""


class BreakingServer:
    """Sends `pieces`, each in a packet of its own, and once text was heard of them `rest`."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.rest: bytes | None = b""
        self.label, self.url = "text/event-stream", ""
        self._is_heard, self._is_over = asyncio.Event(), asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'"stream"')
        writer.write(HEAD.format(self.label).encode())
        for piece in self.pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            for _ in range(5):  # turns of the loop, in which the other side reads it
                await asyncio.sleep(0)
        if self.rest:
            await self._is_heard.wait()
        if self.rest is None:
            await self._is_over.wait()
        writer.write(self.rest or b"")
        writer.close()

    async def hear(self, piece: str) -> None:
        self._is_heard.set()

    def let_go(self) -> None:
        self._is_over.set()


class PacedServer(BreakingServer):
    """Sends each piece a while after the one before it was heard, then the end."""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'"stream"')
        writer.write(HEAD.format(self.label).encode())
        for piece in self.pieces:
            self._is_heard.clear()
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await self._is_heard.wait()
        writer.write(b"0\r\n\r\n")
        writer.close()

    async def hear(self, piece: str) -> None:
        is_second = piece == "two "
        asyncio.get_running_loop().call_later(0.3 if is_second else 0, self._is_heard.set)


@pytest.fixture(params=[BreakingServer])
async def breaking(request: pytest.FixtureRequest) -> AsyncIterator[BreakingServer]:
    one: BreakingServer = request.param()
    server = await asyncio.start_server(one.answer, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield one
        one.let_go()


def provider(
    server: BreakingServer,
    connections: ProviderConnections,
    wire: str,
    *,
    idle_seconds: float = 60,
) -> HttpModel:
    timeouts = Timeouts(idle_seconds=idle_seconds, last_words_seconds=0.1)
    return http_model(connections, server.url, wire=wire, timeouts=timeouts)


@pytest.mark.parametrize("rest", RESTS.values(), ids=RESTS)
@pytest.mark.parametrize(
    ("wire", "data", "finish"),
    [
        (OPENAI, (DELTA, END), FinishReason.STOP),
        (OPENAI, (DELTA, FILTERED), FinishReason.CONTENT_FILTER),
        (ANTHROPIC, (BLOCK, STOP), FinishReason.STOP),
    ],
)
async def test_what_comes_after_the_reason_to_stop_is_not_needed(
    breaking: BreakingServer,
    connections: ProviderConnections,
    wire: str,
    data: tuple[str, ...],
    finish: FinishReason,
    rest: bytes | None,
) -> None:
    breaking.pieces, breaking.rest = [events(*data)], rest

    asked = provider(breaking, connections, wire, idle_seconds=600)
    began = time.monotonic()
    answer = await asked.answer(prompt(), time_left_seconds=600, on_delta=breaking.hear)

    assert time.monotonic() - began < 300, "nobody waits for a silence to end"
    assert isinstance(answer, Answer)
    assert (answer.text, answer.finish, answer.is_certain) == ("Hi", finish, True)
    assert answer.usage.output_tokens == 1


@pytest.mark.parametrize("rest", RESTS.values(), ids=RESTS)
@pytest.mark.parametrize(
    ("wire", "data"), [(OPENAI, (DELTA,)), (OPENAI, (DELTA, BROKEN_OFF)), (ANTHROPIC, (BLOCK,))]
)
async def test_without_a_reason_to_stop_it_is_no_answer(
    breaking: BreakingServer,
    connections: ProviderConnections,
    wire: str,
    data: tuple[str, ...],
    rest: bytes | None,
) -> None:
    breaking.pieces, breaking.rest = [events(*data)], rest

    is_silent = rest is None
    asked = provider(breaking, connections, wire, idle_seconds=0.2 if is_silent else 60)
    with pytest.raises(ProviderError) as caught:
        await asked.answer(prompt(), time_left_seconds=60, on_delta=breaking.hear)

    assert caught.value.after_first_token


@pytest.mark.parametrize(
    ("wire", "data", "used"),
    [
        (OPENAI, (THOUGHT,), (12, 100, False)),
        (OPENAI, (DELTA, USED), (40, 9, True)),
        (ANTHROPIC, (BEGUN, LONG), (40, 84, False)),
    ],
    ids=["thoughts", "figures", "early figures"],
)
async def test_what_was_heard_of_a_broken_answer_is_paid_for(
    breaking: BreakingServer,
    connections: ProviderConnections,
    wire: str,
    data: tuple[str, ...],
    used: tuple[int, int, bool],
) -> None:
    breaking.pieces = [events(*data)]

    error = await failure(provider(breaking, connections, wire), heard=Heard())

    assert (error.error_class, error.after_first_token) == (ErrorClass.CUT_STREAM, True)
    usage = error.usage
    assert isinstance(usage, Usage)
    assert (usage.input_tokens, usage.output_tokens, usage.reported) == used


@pytest.mark.parametrize("breaking", [PacedServer], indirect=True)
async def test_a_reason_that_is_named_with_every_piece_ends_nothing(
    breaking: BreakingServer, connections: ProviderConnections
) -> None:
    each = '{"choices":[{"delta":{"content":"%s"},"finish_reason":"normal"}]}'
    breaking.pieces = [events(each % text) for text in ("one ", "two ", "three")]

    asked = provider(breaking, connections, OPENAI)
    answer = await asked.answer(prompt(), time_left_seconds=60, on_delta=breaking.hear)

    assert isinstance(answer, Answer)
    assert answer.text == "one two three"


async def test_an_event_that_its_last_line_makes_too_long_is_malformed(
    breaking: BreakingServer, connections: ProviderConnections
) -> None:
    breaking.pieces = [b"data: %s\n" % (b"x" * 700_000), b"data: %s" % (b"x" * 700_000)]
    breaking.rest = b"0\r\n\r\n"
    await breaking.hear("")

    error = await failure(provider(breaking, connections, OPENAI))

    assert error.error_class is ErrorClass.MALFORMED_ANSWER


@pytest.mark.parametrize("label", ["text/plain", "application/json", "text/event-stream"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\n\n", b": hello\n\n", b"event: x\n"])
async def test_a_stream_is_known_however_its_first_word_is_cut(
    breaking: BreakingServer, connections: ProviderConnections, start: bytes, label: str
) -> None:
    body, breaking.label = start + events(DELTA, END), label
    cuts = range(len(start) + len("data: "))
    breaking.pieces = [body[cut : cut + 1] for cut in cuts] + [body[len(cuts) :]]

    asked = provider(breaking, connections, OPENAI)
    answer = await asked.answer(prompt(), time_left_seconds=60, on_delta=breaking.hear)

    assert isinstance(answer, Answer)
    assert answer.text == "Hi"
