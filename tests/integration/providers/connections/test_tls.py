"""Calls over TLS: who the server is gets proved, and all else is as without."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import pytest

from tests.integration.providers.asking import Heard, failure, http_model, prompt
from tests.integration.providers.connections.plain_server import PlainServer, chunked, served
from tests.servers.authority import Authority
from workers.providers.error_class import ErrorClass, TimeoutPhase
from workers.providers.failures import ProviderError, ProviderTimeoutError
from workers.providers.outcome import Answer
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.timeouts import Timeouts

PIECES = b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n'
END = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def context(authority: Authority, *, names: str = "IP:127.0.0.1") -> ssl.SSLContext:
    own = authority.issue(names.replace(":", "-").replace(".", "-"), names=names)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own.certificate_file, own.key_file)
    return tls


async def failure_at(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    connect_seconds: float = 20,
) -> ProviderError:
    """Of a call over TLS to a server that has none."""
    async with (
        await asyncio.start_server(serve, "127.0.0.1", 0) as listening,
        ProviderConnections() as connections,
    ):
        url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        timeouts = Timeouts(connect_seconds=connect_seconds)
        return await failure(http_model(connections, url, timeouts=timeouts))


async def test_an_authority_that_the_system_trusts_is_trusted(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    server = PlainServer()
    async with served(server, context(authority)), ProviderConnections() as connections:
        provider, heard = http_model(connections, server.url), Heard()
        for _ in range(2):
            assert isinstance(await provider.answer(prompt(), time_left_seconds=20), Answer)
        server.sends = chunked(PIECES, END, b"data: [DONE]\n\n") + b"0\r\n\r\n"
        answer = await provider.answer(prompt(), time_left_seconds=20, on_delta=heard)
        assert isinstance(answer, Answer)
        assert (answer.text, heard.text, server.opened) == ("Hi", "Hi", 1)

        server.sends = chunked(PIECES)
        hasty = http_model(connections, server.url, timeouts=Timeouts(idle_seconds=0.05))
        error = await failure(hasty)
        assert isinstance(error, ProviderTimeoutError)
        assert error.phase is TimeoutPhase.IDLE
        async with asyncio.timeout(60):
            await server.left.wait()

        server.closes = True
        error = await failure(provider)
        assert (error.error_class, error.after_first_token) == (ErrorClass.CUT_STREAM, True)


@pytest.mark.parametrize(
    ("is_trusted", "names"), [(False, "IP:127.0.0.1"), (True, "DNS:else.example")]
)
async def test_a_server_that_does_not_prove_who_it_is_hears_nothing(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, is_trusted: bool, names: str
) -> None:
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    server = PlainServer()
    async with (
        served(server, context(authority, names=names)),
        ProviderConnections() as connections,
    ):
        error = await failure(http_model(connections, server.url))
        assert not connections._all

    assert error.error_class is ErrorClass.CONNECTION
    assert "certificate verify failed" in error.message
    assert not server.requests


async def test_a_server_without_tls_cannot_be_reached_over_it() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    error = await failure_at(plain)

    assert error.error_class is ErrorClass.CONNECTION


async def test_tls_begins_within_the_time_that_a_connection_has() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    error = await failure_at(silent, connect_seconds=0.05)

    assert isinstance(error, ProviderTimeoutError)
    assert error.phase is TimeoutPhase.CONNECT
