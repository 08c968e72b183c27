"""Three servers of one model: each writes a few answers at once, at a speed of its own.

python -m tests.benchmarks.deployments.servers PORT=TOKENS-A-SECOND…

A call that finds no place waits for one, as at a server with full batches. How long the answer is
says the request: `max_tokens` at the most, between half of it and all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from random import Random
from typing import Final

from aiohttp import web

PLACES: Final = 4
_HEAD: Final = {"Content-Type": "application/json"}


class PacedServer:
    """Answers whole, after as long as it takes to write so much."""

    def __init__(self, tokens_a_second: float) -> None:
        self._tokens_a_second = tokens_a_second
        self._places = asyncio.Semaphore(PLACES)
        self._random = Random(1)

    async def answer(self, request: web.Request) -> web.Response:
        asked = await request.json()
        tokens = round(asked["max_tokens"] * self._random.uniform(0.5, 1.0))
        async with self._places:
            await asyncio.sleep(tokens / self._tokens_a_second)
        message = {"role": "assistant", "content": "So it is."}
        body = {
            "model": asked["model"],
            "choices": [{"message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": tokens},
        }
        return web.Response(text=json.dumps(body), headers=_HEAD)


async def main(speeds: dict[int, float]) -> None:
    for port, speed in speeds.items():
        app = web.Application()
        app.router.add_post("/v1/chat/completions", PacedServer(speed).answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    named = (each.split("=") for each in sys.argv[1:])
    asyncio.run(main({int(port): float(speed) for port, speed in named}))
