"""Connections are used again where that is safe, and closed where nobody wants what comes."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

import pytest
from aiohappyeyeballs import AddrInfoType

from tests.integration.providers.asking import failure, http_model, prompt
from tests.integration.providers.connections.plain_server import (
    CHAT,
    PlainServer,
    chunked,
    said,
)
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import ProviderTimeoutError
from workers.providers.outcome import Answer
from workers.providers.wire.http import connections as pool
from workers.providers.wire.http import host_names
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.timeouts import Timeouts

BUSY = said(b'{"error":{"message":"later"}}', "Retry-After: 7", status="429 Too Many Requests")


async def answered(server: PlainServer, connections: ProviderConnections, url: str = "") -> None:
    provider = http_model(connections, url or server.url)
    answer = await provider.answer(prompt(), time_left_seconds=20)
    assert isinstance(answer, Answer)


async def until_none_stands(connections: ProviderConnections) -> None:
    async with asyncio.timeout(60):
        while connections._all:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_one_connection_serves_call_after_call_refusals_too(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    await answered(plain, connections)
    plain.sends = BUSY
    error = await failure(http_model(connections, plain.url))
    assert (error.error_class, error.retry_after_seconds) == (ErrorClass.RATE_LIMITED, 7)
    plain.sends = said()
    await answered(plain, connections)

    assert plain.opened == 1
    head = plain.requests[0].partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[0] == "POST /chat/completions HTTP/1.1"
    assert f"Host: {plain.url.removeprefix('http://')}" in head
    assert "Accept-Encoding: identity" in head
    assert [line for line in head if line.startswith("User-Agent: Forebay/")]


@pytest.mark.parametrize(
    "sends",
    [said(CHAT, "Connection: close"), said() + b"HTTP/1.1 200 OK\r\n", said() + b"more"],
    ids=["the server closes it", "an answer unasked for", "bytes unasked for"],
)
async def test_a_connection_that_is_not_clean_serves_no_other_call(
    plain: PlainServer, connections: ProviderConnections, sends: bytes
) -> None:
    plain.sends = sends
    for _ in range(2):
        await answered(plain, connections)

    assert plain.opened == 2
    await until_none_stands(connections)


async def test_what_is_said_unasked_on_an_idle_connection_closes_it(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    is_idle = asyncio.Event()

    async def then(writer: asyncio.StreamWriter) -> None:
        await writer.drain()
        await is_idle.wait()
        writer.write(BUSY)

    plain.then = then
    await answered(plain, connections)
    is_idle.set()
    await until_none_stands(connections)
    await answered(plain, connections)

    assert plain.opened == 2


async def test_a_connection_that_the_server_closed_while_idle_is_not_used(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    plain.closes = True
    for _ in range(3):
        await answered(plain, connections)
        await until_none_stands(connections)

    assert plain.opened == len(plain.requests) == 3


async def test_no_request_is_sent_twice_over_a_connection_that_breaks(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    await answered(plain, connections)
    plain.sends, plain.closes = b"", True
    error = await failure(http_model(connections, plain.url))

    assert error.error_class is ErrorClass.CUT_STREAM
    assert len(plain.requests) == 2


async def test_an_answer_does_not_wait_for_the_end_of_its_stream(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    events = b'data: {"choices":[{"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\n'
    is_given = asyncio.Event()

    async def then(writer: asyncio.StreamWriter) -> None:
        await is_given.wait()
        writer.write(b"0\r\n\r\n")

    plain.sends, plain.then = chunked(events + b"data: [DONE]\n\n"), then
    await answered(plain, connections)
    is_given.set()
    (connection,) = connections._all
    async with asyncio.timeout(60):
        while not connection.free_since and connections._all:  # noqa: ASYNC110
            await asyncio.sleep(0)
    is_given.clear()
    await answered(plain, connections)
    await until_none_stands(connections)
    is_given.set()


@pytest.mark.parametrize("sends", [b"", chunked(b"data: ")], ids=["no head", "half an answer"])
async def test_a_cancelled_call_closes_its_connection(
    plain: PlainServer, connections: ProviderConnections, sends: bytes
) -> None:
    plain.sends = sends
    provider = http_model(connections, plain.url)
    call = asyncio.create_task(provider.answer(prompt(), time_left_seconds=60))
    await plain.asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    async with asyncio.timeout(60):
        await plain.left.wait()
    await until_none_stands(connections)


async def test_what_runs_and_what_rests_is_closed_with_the_connections(plain: PlainServer) -> None:
    async with ProviderConnections() as connections:
        await answered(plain, connections)
        plain.sends = b""
        plain.asked.clear()
        provider = http_model(connections, plain.url)
        call = asyncio.create_task(failure(provider))
        await plain.asked.wait()

    assert not connections._all
    assert (await call).error_class is ErrorClass.CUT_STREAM


async def test_what_nobody_uses_for_long_is_closed(
    plain: PlainServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_KEEP_ALIVE_SECONDS", 0.02)
    monkeypatch.setattr(pool, "_SWEEP_SECONDS", 0.02)
    async with ProviderConnections() as connections:
        await answered(plain, connections)
        await until_none_stands(connections)
        await answered(plain, connections)

    assert plain.opened == 2


async def test_an_address_that_is_dead_is_passed_over(
    plain: PlainServer, connections: ProviderConnections
) -> None:
    port = int(plain.url.rpartition(":")[2])
    dead = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
    alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
    until = asyncio.get_running_loop().time() + 60
    connections._names._known["two.example", port] = (until, deque([dead, alive]))
    await answered(plain, connections, f"http://two.example:{port}")

    assert f"Host: two.example:{port}\r\n".encode() in plain.requests[0]


async def test_many_calls_at_once_ask_once_for_a_name_and_again_when_it_may_have_changed(
    plain: PlainServer, connections: ProviderConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look_up = host_names.look_up

    async def counted(host: str, port: int) -> list[AddrInfoType]:
        asked.append(host)
        return await look_up("127.0.0.1", port)

    monkeypatch.setattr(host_names, "look_up", counted)
    url = plain.url.replace("127.0.0.1", "one.example")
    await asyncio.gather(*(answered(plain, connections, url) for _ in range(20)))
    assert asked == ["one.example"]

    connections._names._known.clear()
    connections._free.clear()
    await answered(plain, connections, url)
    assert asked == ["one.example"] * 2


async def test_a_name_that_nobody_knows_cannot_be_reached(
    connections: ProviderConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = await failure(http_model(connections, f"http://{'x' * 70}.example"))
    assert error.error_class is ErrorClass.CONNECTION, "no name has so long a part"

    async def unknown(_: object, __: object) -> list[AddrInfoType]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(host_names, "look_up", unknown)
    error = await failure(http_model(connections, "http://nobody.example"))
    assert error.error_class is ErrorClass.CONNECTION


async def test_a_connection_that_does_not_come_to_stand_is_a_timeout_of_its_own(
    connections: ProviderConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(_: object, __: object) -> list[AddrInfoType]:
        return await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(host_names, "look_up", never)
    slow = http_model(connections, "http://slow.example", timeouts=Timeouts(connect_seconds=0.01))
    error = await failure(slow)
    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is TimeoutPhase.CONNECT

    error = await failure(http_model(connections, "http://slow.example"), time_left_seconds=0.01)
    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is TimeoutPhase.TOTAL
