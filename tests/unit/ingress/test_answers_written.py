"""What leaves as an answer: whole heads or none, and as much body as was said."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from ingress.api.http.exchange import Endpoint, Exchange
from ingress.api.http.wire import Disconnected
from tests.unit.ingress.served import served


async def answered(endpoint: Endpoint, request: bytes = b"GET / HTTP/1.1") -> bytes:
    """All that a client hears."""
    async with served(endpoint) as one:
        reader, writer = await one.connect()
        writer.write(request + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        heard = await reader.read()
        writer.close()
    return heard


async def pieces(*given: bytes) -> AsyncIterator[bytes]:
    for piece in given:
        yield piece


@pytest.mark.parametrize(
    "header",
    [
        (b"x-a", b"b\r\nx-evil: yes"),
        (b"x-a", b"b\nx-evil: yes"),
        (b"x-a", b"b\rx-evil: yes"),
        (b"x-a\r\nx-evil", b"yes"),
        (b"x-a", b"b\0c"),
        (b"x-a", b"b\x7f"),
    ],
)
async def test_a_header_that_would_be_two_is_not_sent(header: tuple[bytes, bytes]) -> None:
    assert await answered(lambda exchange: exchange.answer(200, b"ok", [header])) == b""


async def test_head_and_body_leave_together() -> None:
    async def answer(exchange: Exchange) -> None:
        await exchange.answer_pieces(pieces(b"ok", b"ok"), size=4, headers=[(b"x-a", b"b")])

    head, _, content = (await answered(answer)).partition(b"\r\n\r\n")
    lines = head.splitlines()
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert lines[2:4] == [b"content-length: 4", b"x-a: b"]
    assert lines[4].startswith(b"x-request-id: req_")
    assert lines[5:] == [b"connection: close"]
    assert content == b"okok"


async def test_a_body_of_unknown_length_leaves_in_chunks() -> None:
    heard = await answered(lambda exchange: exchange.answer_stream(pieces(b"one", b"", b"two")))
    assert heard.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


@pytest.mark.parametrize("content", [b"longer", b"s"])
async def test_a_body_of_another_length_is_not_sent(content: bytes) -> None:
    heard = await answered(lambda exchange: exchange.answer_pieces(pieces(content), size=2))
    assert heard.partition(b"\r\n\r\n")[2] in (b"", b"s")


@pytest.mark.parametrize("error", [ValueError, Disconnected])
async def test_an_answer_that_fails_on_the_way_is_cut_off_before_its_end(
    error: type[Exception],
) -> None:
    async def fail() -> AsyncIterator[bytes]:
        yield b"half"
        raise error

    heard = await answered(lambda exchange: exchange.answer_pieces(fail(), size=8))
    assert heard.endswith(b"\r\n\r\nhalf")


@pytest.mark.parametrize(
    ("request_line", "endpoint"),
    [
        (b"HEAD / HTTP/1.1", lambda exchange: exchange.answer(200, b"ok")),
        (b"HEAD / HTTP/1.1", lambda exchange: exchange.answer_stream(pieces(b"ok"))),
        (b"HEAD / HTTP/1.1", lambda exchange: exchange.answer_pieces(pieces(b"ok"), size=2)),
        (b"GET / HTTP/1.1", lambda exchange: exchange.answer_nothing(204, [])),
        (b"GET / HTTP/1.1", lambda exchange: exchange.answer(200, b"")),
        (b"GET / HTTP/1.1", lambda exchange: exchange.answer_pieces(pieces(), size=0)),
    ],
)
async def test_an_answer_without_a_body_is_its_head(
    request_line: bytes, endpoint: Endpoint
) -> None:
    heard = await answered(endpoint, request_line)
    assert heard.startswith(b"HTTP/1.1 20")
    assert heard.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in heard


async def test_who_is_given_no_answer_is_told_that_something_went_wrong() -> None:
    async def say_nothing(_exchange: Exchange) -> None:
        pass

    assert (await answered(say_nothing)).startswith(b"HTTP/1.1 500 ")


async def test_only_the_first_answer_is_given() -> None:
    async def answer_twice(exchange: Exchange) -> None:
        await exchange.answer(200, b"one")
        await exchange.answer(200, b"two")

    assert (await answered(answer_twice)).endswith(b"\r\n\r\none")
