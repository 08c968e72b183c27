"""A connection's requests, one behind another: who is heard, who waits, who hears of the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ingress.api.http.exchange import Exchange
from tests.unit.ingress.served import served, until

GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
PIECE = b"a" * 65_536


@pytest.mark.parametrize("behind", [b"", GET + b"\r\n", POST + b"Content-Length: 2\r\n\r\n{}"])
async def test_who_is_being_answered_is_heard_to_hang_up(behind: bytes) -> None:
    """Whatever was sent behind it."""
    began, hung_up = asyncio.Event(), asyncio.Event()

    async def wait(exchange: Exchange) -> None:
        began.set()
        with exchange.watching(hung_up):
            await asyncio.Event().wait()

    async with served(wait) as one:
        _, writer = await one.connect()
        writer.write(GET + b"\r\n" + behind)
        await began.wait()
        writer.close()
        async with asyncio.timeout(60):
            await hung_up.wait()
        for task in one.state.tasks:
            task.cancel()


async def test_who_hung_up_before_it_is_watched_is_heard_at_once() -> None:
    gone, hung_up = asyncio.Event(), asyncio.Event()

    async def look_late(exchange: Exchange) -> None:
        await until(lambda: not exchange.is_wanted())
        with exchange.watching(hung_up):
            assert hung_up.is_set()
        gone.set()

    async with served(look_late) as one, asyncio.timeout(60):
        _, writer = await one.connect()
        writer.write(GET + b"\r\n")
        writer.close()
        await gone.wait()


async def test_requests_are_answered_in_their_order_each_after_the_one_before() -> None:
    free, heard = asyncio.Event(), list[bytes]()

    async def answer(exchange: Exchange) -> None:
        body = await exchange.read_body(limit_bytes=10)
        heard.append(body)
        await free.wait()
        await exchange.answer(200, body)

    async with served(answer) as one:
        reader, writer = await one.connect()
        for body in (b"1", b"2", b"3"):
            writer.write(POST + b"Content-Length: 1\r\n\r\n" + body)
        await until(lambda: heard == [b"1"])
        free.set()
        for body in (b"1", b"2", b"3"):
            answered = await reader.readuntil(b"\r\n\r\n" + body)
            assert answered.startswith(b"HTTP/1.1 200 OK\r\n")
        assert heard == [b"1", b"2", b"3"]
        assert one.state.total_requests == 3
        writer.close()


async def test_who_reads_slowly_is_waited_for() -> None:
    given, found = 0, list[Exchange]()

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal given
        for _ in range(1024):
            given += 1
            yield PIECE

    async def answer(exchange: Exchange) -> None:
        found.append(exchange)
        await exchange.answer_pieces(pieces(), size=1024 * len(PIECE))

    async with served(answer) as one:
        reader, writer = await one.connect()
        writer.write(GET + b"\r\n")
        await until(lambda: bool(found) and found[0].line.flow.write_paused)
        assert given < 1024
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(1024):
            assert await reader.readexactly(len(PIECE)) == PIECE
        writer.close()


async def test_a_server_that_ends_answers_what_is_asked_and_closes_behind_it() -> None:
    free, began = asyncio.Event(), asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        began.set()
        await free.wait()
        await exchange.answer(200, b"{}")

    async with served(answer) as one:
        asking, idle = await one.connect(), await one.connect()
        asking[1].write(GET + b"\r\n")
        await began.wait()
        await until(lambda: len(one.state.connections) == 2)
        for connection in list(one.state.connections):
            connection.shutdown()
        assert await idle[0].read() == b""
        free.set()
        heard = await asking[0].read()
        assert b"connection: close" in heard
        assert heard.endswith(b"{}")


async def test_whoever_cannot_be_answered_any_more_is_told() -> None:
    began = asyncio.Event()

    async def wait(_exchange: Exchange) -> None:
        began.set()
        await asyncio.Event().wait()

    async with served(wait) as one:
        reader, writer = await one.connect()
        writer.write(GET + b"\r\n")
        await began.wait()
        for task in list(one.state.tasks):
            task.cancel()
        heard = await reader.read()
        assert heard.startswith(b"HTTP/1.1 500 ")
        assert b"connection: close" in heard
        writer.close()


async def test_another_protocol_is_not_spoken_and_the_request_is_answered() -> None:
    async with served(lambda exchange: exchange.answer(200, b"ok")) as one:
        reader, writer = await one.connect()
        writer.write(GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x05Hello")
        heard = await reader.read()
        assert heard.startswith(b"HTTP/1.1 200 ")
        assert heard.endswith(b"\r\n\r\nok")
        writer.close()


@pytest.mark.parametrize(
    ("head", "closes"),
    [
        (b"GET / HTTP/1.0\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
        (GET + b"Connection: close\r\n\r\n", True),
        (GET + b"\r\n", False),
    ],
)
async def test_a_connection_is_kept_unless_its_request_is_the_last(
    head: bytes, closes: bool
) -> None:
    async with served(lambda exchange: exchange.answer(200, b"ok")) as one:
        reader, writer = await one.connect()
        writer.write(head)
        heard = await reader.readuntil(b"\r\n\r\nok")
        assert (b"connection: close" in heard) is closes
        if closes:
            assert await reader.read() == b""
        else:
            writer.write(head)
            assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        writer.close()
