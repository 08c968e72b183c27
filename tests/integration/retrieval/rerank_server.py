"""A server of rerankers on loopback: it counts the words that a text shares with the question."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from aiohttp import web

Asked = dict[str, Any]
Answer = Callable[[Asked], web.Response]


class RerankServer:
    """Answers Jina's way and TEI's, or as `misbehave` says; `asked` is what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.keys: list[str | None] = []
        self.hung = 0
        self._answer: Answer | None = None
        self._is_over = asyncio.Event()

    def misbehave(self, answer: Answer | None) -> None:
        """Answer so from here on; None for as it should."""
        self._answer = answer

    def end(self) -> None:
        """Let go of whoever it keeps waiting."""
        self._is_over.set()

    async def rerank(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.asked.append(asked)
        self.keys.append(request.headers.get("Authorization"))
        if self._answer is hangs:
            self.hung += 1
            await self._is_over.wait()
            return web.Response()
        return self._answer(asked) if self._answer else well(asked)


def well(asked: Asked) -> web.Response:
    """The best first, as real ones do."""
    scores = sorted(((share(asked["query"], text), nth) for nth, text in enumerate(texts(asked))))
    if "texts" in asked:
        return web.json_response([{"index": nth, "score": score} for score, nth in scores[::-1]])
    return results(*((nth, score) for score, nth in scores[::-1]))


def texts(asked: Asked) -> list[str]:
    found: list[str] = asked["documents"] if "documents" in asked else asked["texts"]
    return found


def results(*scores: tuple[int, float]) -> web.Response:
    told = [
        {"index": nth, "relevance_score": score, "document": {"text": "…"}} for nth, score in scores
    ]
    # Python writes NaN, as servers written in it do.
    body = json.dumps({"id": "rerank-1", "model": "m", "usage": {}, "results": told})
    return web.Response(text=body, content_type="application/json")


def share(question: str, text: str) -> float:
    asked = {*question.lower().split()}
    return len(asked & {*text.lower().split()}) / len(asked)


def hangs(_: Asked) -> NoReturn:
    raise AssertionError("nobody comes here")


@asynccontextmanager
async def rerank_server(port: int = 0) -> AsyncIterator[RerankServer]:
    """One, until the block ends."""
    server = RerankServer()
    app = web.Application()
    app.router.add_post("/v1/rerank", server.rerank)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    [(_, port)] = runner.addresses
    server.url = f"http://127.0.0.1:{port}/v1"
    yield server
    server.end()
    await runner.cleanup()
