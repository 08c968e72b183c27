"""Serves the connections that a door hands over."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from functools import partial
from typing import Final

from uvicorn.server import ServerState

from ingress.api.http.border import Border, Routes
from ingress.api.http.protocol import DoorProtocol
from ingress.console.apart.control import ControlSign
from ingress.console.surface import ConsoleSurface
from shared.clock import SystemClock
from shared.collector import leave_what_stays_to_itself
from shared.redis.client import open_redis
from shared.settings import Settings
from shared.telemetry.metrics import Metrics

_END_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.01


class HandedOver:
    """Everything under /console/api, asked by one door; what has begun when that is gone has
    two seconds left.
    """

    def __init__(self, settings: Settings, control: socket.socket) -> None:
        clock, metrics = SystemClock(), Metrics()
        self._control = control
        self._redis = open_redis(settings.redis)
        self._surface = ConsoleSurface(settings, self._redis, clock, self._broker_is_well)
        self._state = ServerState()
        self._made = partial(
            DoorProtocol,
            server_state=self._state,
            border=Border(Routes(self._surface.routes()), metrics, clock),
            limits=settings.ingress,
            refusals=metrics.http_requests,
        )
        self._is_broker_well = True
        self._is_over = asyncio.Event()
        self._opening: set[asyncio.Task[object]] = set()

    async def serve(self) -> None:
        """Return when the door is gone and everything is closed."""
        loop = asyncio.get_running_loop()
        self._control.setblocking(False)
        loop.add_reader(self._control, self._hear)
        leave_what_stays_to_itself()
        try:
            await self._is_over.wait()
        finally:
            loop.remove_reader(self._control)
            await self._end()

    async def _broker_is_well(self) -> bool:
        return self._is_broker_well

    def _hear(self) -> None:
        try:
            told, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
        except BlockingIOError:
            return
        except OSError:
            told, descriptors = b"", []
        if not told:
            self._is_over.set()
            return
        for each in descriptors:
            self._open(socket.socket(fileno=each))
        sign = ControlSign(told)
        if sign is ControlSign.NOTICE:
            self._surface.give_notice()
        elif sign is not ControlSign.CONNECTION:
            self._is_broker_well = sign is ControlSign.BROKER_IS_WELL

    def _open(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        task: asyncio.Task[object] = loop.create_task(
            loop.connect_accepted_socket(self._made, connection)
        )
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _end(self) -> None:
        self._surface.give_notice()
        for connection in list(self._state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                while self._state.tasks:  # noqa: ASYNC110 - uvicorn's, which tells nobody
                    await asyncio.sleep(_LOOK_SECONDS)
        await self._surface.close()
        await self._redis.aclose()
