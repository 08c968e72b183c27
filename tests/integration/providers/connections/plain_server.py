"""A server that answers each request with the bytes it is given, and counts its connections."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

CHAT = (
    b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"model":"m",'
    b'"usage":{"prompt_tokens":9,"completion_tokens":1}}'
)
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def said(body: bytes = CHAT, *more: str, status: str = "200 OK") -> bytes:
    """An answer of known length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


def chunked(*pieces: bytes) -> bytes:
    """An answer in chunks, without the end."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)


class PlainServer:
    """Answers with `sends`; with `closes` it closes the connection after each answer."""

    def __init__(self) -> None:
        self.sends = said()
        self.then: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None
        self.closes = False
        self.requests: list[bytes] = []
        self.opened = 0
        self.left = asyncio.Event()
        """A client has closed its connection."""
        self.asked = asyncio.Event()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                (length,) = _LENGTH.findall(head)
                self.requests.append(head + await reader.readexactly(int(length)))
                self.asked.set()
                writer.write(self.sends)
                if self.then is not None:
                    await self.then(writer)
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        writer.close()


@asynccontextmanager
async def served(server: PlainServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    """While it runs on a free port of 127.0.0.1."""
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls) as listening:
        port = listening.sockets[0].getsockname()[1]
        server.url = f"http{'s' if tls else ''}://127.0.0.1:{port}"
        yield
