"""Whether a local HTTP server answers, without a client library."""

from __future__ import annotations

import asyncio
from typing import Final

from deploy.embedded.processes.ports import LOOPBACK

_PATIENCE_SECONDS: Final = 2.0


async def answers_ok(port: int, path: str) -> bool:
    """Whether GET `path` on loopback is answered with 200, in time."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return words[1:2] == [b"200"]
