"""Something of everything that the dashboards show."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

REFUSED_QUESTION = "who refuses our key?"


class Traffic:
    """Messages that are answered, streamed, failed and refused; documents; searches."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key
        self._round = 0

    async def begin(self) -> None:
        """Once, before all else."""
        async with self._session() as session:
            await self._post(session, "/v1/collections", {"name": "notes"})
        await self.go_on()

    async def go_on(self) -> None:
        """A round; returns when all of it has ended."""
        self._round += 1
        async with self._session() as session:
            await asyncio.gather(
                self._post(session, "/v1/responses", {"input": f"Round {self._round}?"}),
                self._post(session, "/v1/responses", {"input": "A stream?", "stream": True}),
                self._post(session, "/v1/responses", {"input": REFUSED_QUESTION}),
                self._post(session, "/v1/responses", {"input": 3}),
                self._index(session),
            )
            question = {"query": "what of ducks?", "collections": ["notes"]}
            await self._post(session, "/v1/search", question)

    async def _index(self, session: aiohttp.ClientSession) -> None:
        document = {"path": f"{self._round}.md", "text": f"# Ducks\n\nNumber {self._round}."}
        asked = {"collection": "notes", "documents": [document]}
        made = await self._post(session, "/v1/documents", asked)
        path = f"/v1/documents/{made['data'][0]['id']}?collection=notes"
        async with asyncio.timeout(60):
            while True:
                async with session.get(path) as answer:
                    if (await answer.json())["state"] == "completed":
                        return
                await asyncio.sleep(0.05)

    def _session(self) -> aiohttp.ClientSession:
        headers = {"authorization": f"Bearer {self._key}"}
        return aiohttp.ClientSession(base_url=self._url, headers=headers)

    async def _post(self, session: aiohttp.ClientSession, path: str, body: Any) -> Any:
        async with session.post(path, json=body) as answer:
            is_stream = answer.content_type == "text/event-stream"
            return await (answer.text() if is_stream else answer.json())
