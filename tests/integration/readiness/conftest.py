"""A collector that answers as it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web


@pytest.fixture
def serve() -> Callable[[int], AbstractAsyncContextManager[str]]:
    """Its URL; it is away once the context is closed."""

    @asynccontextmanager
    async def serving(status: int) -> AsyncIterator[str]:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=status)

        application = web.Application()
        application.router.add_post("/v1/traces", answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
        await runner.cleanup()

    return serving
