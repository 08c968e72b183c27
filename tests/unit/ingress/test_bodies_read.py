"""The body of a request: asked for when it is wanted, whole however it comes, never without end."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from ingress.api.http.exchange import Exchange
from shared.settings.door import IngressSettings
from tests.unit.ingress.served import served, until

POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
PIECE = b"a" * 65_536


async def go_on(writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(1024 * b"a")
            await writer.drain()
            await asyncio.sleep(0)


async def echo(exchange: Exchange) -> None:
    await exchange.answer(200, await exchange.read_body(limit_bytes=10_000_000))


async def test_a_body_that_is_waited_with_is_asked_for_when_it_is_read() -> None:
    async with served(echo) as one:
        reader, writer = await one.connect()
        writer.write(POST + b"Expect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"{}")
        assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200 OK\r\n")
        writer.close()


async def test_a_body_that_is_waited_with_and_not_wanted_is_not_asked_for() -> None:
    async with served(lambda exchange: exchange.answer(401, b"no")) as one:
        reader, writer = await one.connect()
        writer.write(POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert (await reader.readuntil(b"no")).startswith(b"HTTP/1.1 401 ")
        writer.close()


async def test_a_body_comes_whole_however_it_is_cut() -> None:
    async with served(echo) as one:
        reader, writer = await one.connect()
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for number in range(8):
            writer.write(b"10000\r\n" + PIECE + b"\r\n")
            if number % 2:
                await writer.drain()
        writer.write(b"0\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(8 * len(PIECE)) == 8 * PIECE
        writer.close()


@pytest.mark.parametrize("begun", [b"2;", b"2\r\n{}\r\n0\r\nX-A: "])
async def test_a_body_is_not_framed_without_end(begun: bytes) -> None:
    async with served(echo, IngressSettings(head_limit_bytes=8192)) as one:
        reader, writer = await one.connect()
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n" + begun)
        going_on = asyncio.create_task(go_on(writer))
        heard = await reader.read()
        going_on.cancel()
        assert heard.startswith(b"HTTP/1.1 400 ")
        assert heard.count(b"HTTP/1.1 4") == 1
        writer.close()


async def test_of_a_body_that_nobody_reads_little_is_held() -> None:
    free, held = asyncio.Event(), list[Exchange]()

    async def read_late(exchange: Exchange) -> None:
        held.append(exchange)
        await free.wait()
        await echo(exchange)

    async with served(read_late) as one:
        reader, writer = await one.connect()
        writer.write(POST + b"Content-Length: %d\r\n\r\n" % (64 * len(PIECE)))
        for _ in range(64):
            writer.write(PIECE)
        await until(lambda: bool(held) and held[0].line.flow.read_paused)
        free.set()
        await reader.readuntil(b"\r\n\r\n")
        assert len(await reader.readexactly(64 * len(PIECE))) == 64 * len(PIECE)
        writer.close()
