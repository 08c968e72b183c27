"""A server that sends what it is told to, for each test its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import uvloop

from tests.integration.providers.connections.plain_server import PlainServer, served


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Workers run on uvloop where there is one; its transports differ in what they raise."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
async def plain() -> AsyncIterator[PlainServer]:
    server = PlainServer()
    async with served(server):
        yield server
