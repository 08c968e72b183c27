"""A border with one endpoint on a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from uvicorn.server import ServerState

from ingress.api.http.border import Border, Route, Routes
from ingress.api.http.exchange import Endpoint
from ingress.api.http.protocol import DoorProtocol
from shared.clock import SystemClock
from shared.settings.door import IngressSettings
from shared.telemetry.metrics import Metrics

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Served:
    """Where the endpoint is reached, at `GET /` and `POST /`, and what uvicorn would count."""

    def __init__(self, endpoint: Endpoint, limits: IngressSettings) -> None:
        self.state = ServerState()
        metrics = Metrics()
        routes = [Route(method, "/", endpoint) for method in ("GET", "POST")]
        self.protocol = partial(
            DoorProtocol,
            server_state=self.state,
            border=Border(Routes(routes), metrics, SystemClock()),
            limits=limits,
            refusals=metrics.http_requests,
        )
        self.port = 0

    async def connect(self) -> Stream:
        return await asyncio.open_connection("127.0.0.1", self.port)


@asynccontextmanager
async def served(
    endpoint: Endpoint, limits: IngressSettings | None = None
) -> AsyncIterator[Served]:
    """Listens until the end."""
    one = Served(endpoint, limits or IngressSettings())
    server = await asyncio.get_running_loop().create_server(one.protocol, "127.0.0.1", 0)
    async with server:
        one.port = server.sockets[0].getsockname()[1]
        yield one


async def until(is_so: Callable[[], bool]) -> None:
    """Returns once it is so, which has ten seconds."""
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - it is the connection's own state
            await asyncio.sleep(0.001)
