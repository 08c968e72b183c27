"""A provider that knows the right answer of every message of the day, and what it would weigh."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, Self

from aiohttp import web

from shared.token_count import estimated_sum
from tests.benchmarks.day.generator import Intent

SMALL: str = "small-model"
LARGE: str = "large-model"


class TruthfulProvider:
    """Speaks OpenAI's chat completions from a thread of its own.

    An answer is one short sentence; its usage says how long it would have been. It has the flex
    tier for all who ask for it.
    """

    def __init__(self, intents: Mapping[str, Intent]) -> None:
        self._intents = intents
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None
        self.calls = 0
        self.url = ""

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _open(self) -> None:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", self._answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/v1"

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        self.calls += 1
        body = await request.json()
        texts = [message["content"] for message in body["messages"]]
        answer = _completion(body["model"], self._intents[texts[-1]], estimated_sum(texts))
        return web.json_response(answer | {"service_tier": body.get("service_tier", "default")})


def _completion(model: str, intent: Intent, read: int) -> dict[str, Any]:
    return {
        "id": "chatcmpl-day",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": intent.answer},
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": intent.output_tokens,
            "total_tokens": read + intent.output_tokens,
        },
    }
