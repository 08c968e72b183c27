"""What servers do with HTTP itself: each of it is an answer, or a failure of the right class."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from tests.integration.providers.asking import failure, http_model, prompt
from tests.integration.providers.connections.plain_server import (
    CHAT,
    PlainServer,
    chunked,
    said,
)
from workers.providers.error_class import ErrorClass
from workers.providers.outcome import Answer
from workers.providers.wire.http.connections import ProviderConnections

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nContent-Encoding: br\r\nLink: </a>\r\n\r\n"
OPEN_END = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
DEFLATED = BARE.compress(CHAT) + BARE.flush()
EMPTY = said(b"", status="204 No Content")
BOMB = gzip.compress(b'{"choices": [' + b" " * 40_000_000)
ANSWERS = {
    "interim heads": CONTINUE + HINTS + said(),
    "lines that end in a line feed": said().replace(b"\r\n", b"\n"),
    "chunks with extensions and trailers": (
        chunked(CHAT[:5])
        + b"4;a=b\r\n%s\r\n" % CHAT[5:9]
        + b"%x  \r\n%s\r\n" % (len(CHAT[9:]), CHAT[9:])
        + b"0\r\nX: y\r\n\r\n"
    ),
    "a body that ends with the connection": OPEN_END + CHAT,
    "an HTTP of old": OPEN_END.replace(b"1.1", b"1.0") + CHAT,
    "gzip that nobody asked for": said(gzip.compress(CHAT), "Content-Encoding: GZIP"),
    "deflate": said(zlib.compress(CHAT), "content-encoding: deflate"),
    "deflate without its frame": said(DEFLATED, "Content-Encoding: deflate"),
    "a strange header": said(CHAT, "X-Strange: \x01\xff"),
    "the rest of something else behind it": said() + b"HTTP/1.1 500 No\r\n\r\n",
}
FAILURES = {
    "nothing": (b"", ErrorClass.CUT_STREAM),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Ty", ErrorClass.CUT_STREAM),
    "less than its length": (said()[:-1], ErrorClass.CUT_STREAM),
    "no last chunk": (chunked(CHAT[:20]), ErrorClass.CUT_STREAM),
    "a chunk that is none": (chunked() + b"zz\r\n", ErrorClass.CUT_STREAM),
    "another protocol": (b"220 mail.example ESMTP\r\n", ErrorClass.MISCONFIGURED),
    "a switch of protocols": (
        b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n\0\0",
        ErrorClass.SERVER_ERROR,
    ),
    "a zero in a header": (said(CHAT, "X: a\0b"), ErrorClass.MISCONFIGURED),
    "two lengths": (said(CHAT, "Content-Length: 3"), ErrorClass.MISCONFIGURED),
    "a length and chunks": (said(CHAT, "Transfer-Encoding: chunked"), ErrorClass.MISCONFIGURED),
    "a head without end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 400_000, ErrorClass.MISCONFIGURED),
    "interim heads without end": (CONTINUE * 20_000, ErrorClass.MISCONFIGURED),
    "trailers without end": (
        chunked(CHAT) + b"0\r\nX: " + b"x" * 400_000,
        ErrorClass.CUT_STREAM,
    ),
    "gzip that is none": (said(CHAT, "Content-Encoding: gzip"), ErrorClass.CUT_STREAM),
    "gzip that hides a flood": (said(BOMB, "Content-Encoding: gzip"), ErrorClass.MALFORMED_ANSWER),
    "a packing that nobody knows": (
        said(CHAT, "Content-Encoding: zstd"),
        ErrorClass.MISCONFIGURED,
    ),
    "no content": (EMPTY, ErrorClass.MALFORMED_ANSWER),
}


@pytest.mark.parametrize("sends", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("in_pieces", [False, True])
async def test_it_is_an_answer(
    plain: PlainServer, connections: ProviderConnections, sends: bytes, in_pieces: bool
) -> None:
    plain.sends, plain.closes = sends, True
    if in_pieces:
        plain.sends = b""

        async def then(writer: asyncio.StreamWriter) -> None:
            for byte in sends:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)

        plain.then = then

    answer = await http_model(connections, plain.url).answer(prompt(), time_left_seconds=20)

    assert isinstance(answer, Answer)
    assert answer.text == "Hi"


@pytest.mark.parametrize(("sends", "error_class"), FAILURES.values(), ids=FAILURES)
async def test_it_is_a_failure(
    plain: PlainServer, connections: ProviderConnections, sends: bytes, error_class: ErrorClass
) -> None:
    plain.sends, plain.closes = sends, True

    error = await failure(http_model(connections, plain.url))

    assert error.error_class is error_class


async def test_a_server_whose_reader_is_slow_has_to_wait(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    event = b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % (b"x" * 60_000)
    written, is_heard, goes_on = 0, asyncio.Event(), asyncio.Event()
    plain.sends = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

    async def then(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        while written < 15_000_000:
            writer.write(event)
            await writer.drain()
            written += len(event)

    async def hear(_: object) -> None:
        is_heard.set()
        await goes_on.wait()

    plain.then = then
    provider = http_model(connections, plain.url)
    call = asyncio.create_task(provider.answer(prompt(), time_left_seconds=60, on_delta=hear))
    await is_heard.wait()
    (connection,) = connections._all
    async with asyncio.timeout(60):
        while not connection._unread_bytes > 131_072:  # noqa: ASYNC110
            await asyncio.sleep(0)
    before = 0
    while before != written:
        before = written
        await asyncio.sleep(0.02)

    assert connection._unread_bytes < 1_000_000, "what is not read stays with the system"
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_name_and_a_password_in_the_address_are_told(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    url = plain.url.replace("://", "://me:secret%21@")
    await http_model(connections, url).answer(prompt(), time_left_seconds=20)

    assert b"Authorization: Basic bWU6c2VjcmV0IQ==\r\n" in plain.requests[0]
    assert b"secret" not in plain.requests[0]
