"""A producer of batches: files of equal, wrong and ordinary lines, until each is accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import aiohttp
import msgspec

from tests.chaos.door import Door
from tests.chaos.ground import MARK, Ground

DISTINCT: Final = 60
"""Lines of one batch that differ; the others are equal to one of them."""
LINES: Final = 450
"""More than are expanded in one commit."""
WRONG: Final = 5
_numbers = count(1)


class BatchTraffic:
    """Asks the door for batches, again wherever nobody answered, and reads their files.

    `accepted` has what is in the file of each batch that somebody was told of: every line's text
    by its custom_id, None where it is wrong.
    """

    def __init__(self, session: aiohttp.ClientSession, door: Door) -> None:
        self._session = session
        self._url = door.url.removesuffix("/responses")
        self._headers = {"Authorization": f"Bearer {door.key}"}
        self.accepted: dict[str, dict[str, str | None]] = {}

    async def post(self, batches: int, *, pause_seconds: float = 0.0) -> None:
        """Returns when all of them have been accepted."""
        for _ in range(batches):
            await self._post(next(_numbers))
            if pause_seconds:
                await asyncio.sleep(pause_seconds)  # the rate at which it posts

    async def _post(self, number: int) -> None:
        texts: dict[str, str | None] = {
            f"line-{n}": f"{MARK} {number} of a batch, {n % DISTINCT}" for n in range(LINES)
        }
        texts |= {f"wrong-{n}": None for n in range(WRONG)}
        content = b"\n".join(_line(name, text) for name, text in texts.items())
        file = await self._told("POST", "files", lambda: {"data": _form(content)})
        window = {"endpoint": "/v1/responses", "completion_window": "24h"}
        asked = {"input_file_id": file["id"], **window}
        made = await self._told("POST", "batches", lambda: {"json": asked})
        self.accepted[made["id"]] = texts

    async def find(self, batch_id: str) -> dict[str, Any]:
        """The batch as the door tells it."""
        return await self._told("GET", f"batches/{batch_id}", dict)

    async def lines_of(self, file_id: str) -> list[dict[str, Any]]:
        """The content of a file of results."""
        raw = await self._read("GET", f"files/{file_id}/content", dict)
        return [msgspec.json.decode(line) for line in raw.splitlines()]

    async def _told(self, method: str, path: str, content: Any) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.json.decode(await self._read(method, path, content))
        return told

    async def _read(self, method: str, path: str, content: Any) -> bytes:
        """Asked again wherever nobody answers; `content` makes the body anew for each try."""
        url = f"{self._url}/{path}"
        while True:
            try:
                request = self._session.request(method, url, headers=self._headers, **content())
                async with request as answer:
                    raw = await answer.read()
                    assert answer.status in {200, 429} or answer.status >= 500, raw
                    if answer.status == 200:
                        return raw
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.1)


@asynccontextmanager
async def open_batch_traffic(ground: Ground) -> AsyncIterator[BatchTraffic]:
    """Through the real door over HTTP."""
    patience = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=patience) as session:
        yield BatchTraffic(session, ground.door)


def _line(custom_id: str, text: str | None) -> bytes:
    body = {"input": 7 if text is None else text}
    road = {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": body}
    return msgspec.json.encode(road)


def _form(content: bytes) -> aiohttp.FormData:
    form = aiohttp.FormData({"purpose": "batch"})
    form.add_field("file", content, filename="questions.jsonl")
    return form
