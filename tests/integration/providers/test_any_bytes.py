"""Whatever bytes a provider sends, behind whatever status: an answer, or one of our classes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.storable_text import is_storable
from tests.integration.providers.asking import BuildFor, Heard, http_model, prompt
from tests.integration.providers.raw_server import RawServer
from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, FinishReason
from workers.providers.wire.http.connections import ProviderConnections
from workers.providers.wire.http_model import HttpModel

KEYS = st.sampled_from(
    [
        "error",
        "message",
        "detail",
        "code",
        "type",
        "object",
        "choices",
        "delta",
        "content",
        "text",
        "finish_reason",
        "stop_reason",
        "usage",
        "prompt_tokens",
        "completion_tokens",
        "input_tokens",
        "output_tokens",
        "cost",
        "model",
        "index",
        "reasoning",
        "tool_calls",
        "content_block",
        "status",
        "param",
        "loc",
        "metadata",
        "raw",
        "details",
        "retryDelay",
    ]
)
WORDS = st.sampled_from(
    [
        "error",
        "content_block_delta",
        "message_start",
        "message_delta",
        "message_stop",
        "text",
        "stop",
        "thinking",
        "429",
        "rate_limit_error",
        "context_length_exceeded",
        "null",
        "�",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)
JSON = VALUES.map(lambda value: json.dumps(value).encode())
DEEP = st.sampled_from([b"[", b'{"error":', b'{"choices":[']).map(lambda piece: piece * 20_000)
LINE = st.builds(
    lambda field, value, end: field + value + end,
    st.sampled_from(
        [b"data: ", b"data:", b"event: ", b": ", b"id: ", b"", b"event: error\ndata: "]
    ),
    JSON | st.binary(max_size=20) | st.sampled_from([b"[DONE]", b"error", b""]),
    st.sampled_from([b"\n\n", b"\r\n\r\n", b"\n", b"\r", b""]),
)
BODIES = (
    st.binary(max_size=200)
    | JSON
    | DEEP
    | st.lists(LINE, max_size=6).map(b"".join)
    | st.sampled_from([b"<html>", b"\xef\xbb\xbf", b"\xef\xbb\xbf<a>", b"   ", b"\x1f\x8b"])
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 400, 404, 413, 422, 429, 500]) | (
    st.integers(200, 999)
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "retry-after-ms", "Location", "Content-Encoding"]),
    st.sampled_from(["", "1", "-1", "nan", "1e999", "soon", "gzip", "br", "::", "Mon, 99"]),
    max_size=2,
)
MANY = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def is_one_of_ours(provider: HttpModel, *, streamed: bool) -> None:
    sink = Heard() if streamed else None
    try:
        ended: object = await provider.answer(prompt(), time_left_seconds=60, on_delta=sink)
    except ProviderError as error:
        ended = error
    if isinstance(ended, ProviderError):
        assert len(ended.message) < 1_000
        assert ended.retry_after_seconds is None or 0 <= ended.retry_after_seconds <= 86_400
        return
    assert isinstance(ended, Answer)
    assert ended.text or ended.finish is not FinishReason.STOP
    assert len(ended.model) <= 128
    assert is_storable(ended.text + ended.model)
    assert 0 < ended.usage.input_tokens < 100_000


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
@pytest.mark.parametrize("streamed", [False, True])
async def test_any_body_behind_any_status_is_an_answer_or_one_of_our_classes(
    server: RawServer, build_for: BuildFor, wire: str, streamed: bool
) -> None:
    loop, provider = asyncio.get_running_loop(), build_for(wire)

    @MANY
    @given(BODIES, STATUSES, HEADERS, st.sampled_from(["application/json", "text/event-stream"]))
    def holds(body: bytes, status: int, headers: dict[str, str], label: str) -> None:
        content = {"Content-Type": label, **headers}
        server.response = {"body": body, "status": status, "headers": content}
        running = asyncio.run_coroutine_threadsafe(
            is_one_of_ours(provider, streamed=streamed), loop
        )
        running.result(timeout=60)

    await asyncio.to_thread(holds)


class SocketServer:
    """Reads a request and answers with bytes that need not be HTTP."""

    def __init__(self) -> None:
        self.sends = b""
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(self.sends)
        writer.close()


@pytest.fixture
async def socket_server() -> AsyncIterator[SocketServer]:
    one = SocketServer()
    server = await asyncio.start_server(one.answer, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    async with server:
        yield one


HEADS: Any = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n",
        b"HTTP/1.1 \xff\xfe\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nSet-Cookie: \x00\r\nX: \xff\r\n\r\n",
        b"",
    ]
)


@pytest.mark.parametrize("streamed", [False, True])
async def test_any_bytes_on_the_socket_are_an_answer_or_one_of_our_classes(
    socket_server: SocketServer, connections: ProviderConnections, streamed: bool
) -> None:
    loop = asyncio.get_running_loop()
    provider = http_model(connections, f"http://127.0.0.1:{socket_server.port}")

    @settings(MANY, max_examples=30)
    @given(HEADS, BODIES)
    def holds(head: bytes, rest: bytes) -> None:
        socket_server.sends = head + rest
        running = asyncio.run_coroutine_threadsafe(
            is_one_of_ours(provider, streamed=streamed), loop
        )
        running.result(timeout=60)

    await asyncio.to_thread(holds)
