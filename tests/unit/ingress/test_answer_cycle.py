"""What leaves as an answer: whole heads or none, and as much body as was said."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from ingress.api.http.protocol import DoorProtocol
from shared.settings.door import IngressSettings
from shared.telemetry.metrics import Metrics

Messages = list[dict[str, Any]]


def start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(content: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": content, "more_body": more}


async def answered(messages: Messages, request: bytes = b"GET / HTTP/1.1") -> bytes:
    """All that a client hears of an application that says these messages."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    config = uvicorn.Config(app, log_config=None, ws="none")
    config.load()
    protocol = partial(
        DoorProtocol,
        config,
        ServerState(),
        {},
        limits=IngressSettings(),
        refusals=Metrics().http_requests,
    )
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        heard = await reader.read()
        writer.close()
    return heard


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
    assert await answered([start((b"content-length", b"2"), header), body(b"ok")]) == b""


async def test_head_and_body_leave_together() -> None:
    heard = await answered([start((b"content-length", b"4")), body(b"ok", more=True), body(b"ok")])
    head, _, content = heard.partition(b"\r\n\r\n")
    assert head.splitlines() == [b"HTTP/1.1 200 OK", b"content-length: 4", b"connection: close"]
    assert content == b"okok"


async def test_a_body_of_unknown_length_leaves_in_chunks() -> None:
    heard = await answered([start(), body(b"one", more=True), body(b"", more=True), body(b"two")])
    assert heard.endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


@pytest.mark.parametrize(("content", "more"), [(b"longer", False), (b"s", False)])
async def test_a_body_of_another_length_is_not_sent(content: bytes, more: bool) -> None:
    assert await answered([start((b"content-length", b"2")), body(content, more=more)]) == b""


@pytest.mark.parametrize(
    ("request_line", "status", "headers"),
    [
        (b"HEAD / HTTP/1.1", 200, [(b"content-length", b"2")]),
        (b"HEAD / HTTP/1.1", 200, []),
        (b"GET / HTTP/1.1", 204, []),
        (b"GET / HTTP/1.1", 200, [(b"content-length", b"0")]),
    ],
)
async def test_an_answer_without_a_body_is_its_head(
    request_line: bytes, status: int, headers: list[tuple[bytes, bytes]]
) -> None:
    content = b"ok" if request_line.startswith(b"HEAD") else b""
    heard = await answered([start(*headers, status=status), body(content)], request_line)
    assert heard.startswith(b"HTTP/1.1 %d " % status)
    assert heard.endswith(b"\r\n\r\n")
    assert b"transfer-encoding" not in heard


@pytest.mark.parametrize(
    "messages", [[body(b"ok")], [start((b"content-length", b"2")), body(b"ok"), body(b"")]]
)
async def test_what_is_said_out_of_turn_ends_the_connection(messages: Messages) -> None:
    heard = await answered(messages)
    assert heard.startswith(b"HTTP/1.1 500 " if len(messages) == 1 else b"HTTP/1.1 200 ")
