"""`python -m ingress`: the door as a process."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from functools import partial
from socket import socket
from types import FrameType
from typing import Final

import uvicorn

from ingress.api.http.protocol import DoorProtocol
from ingress.app import Ingress, build_app
from shared.collector import leave_what_stays_to_itself
from shared.errors import SettingsError
from shared.settings import Settings, load_settings
from shared.telemetry.logs import configure_logs

_LAST_WORDS_SECONDS: Final = 1.0
"""The end of the drain, kept for telling those who still wait."""
_DATE_SECONDS: Final = 1.0
"""How old the header Date of an answer may be."""
_LOOK_SECONDS: Final = 0.01
"""Between two looks, while it ends, whether the last connection is closed."""
_UNUSABLE_SETTINGS: Final = 78  # EX_CONFIG


class DrainingServer(uvicorn.Server):
    """Prints where it listens; told to end, it accepts nothing new and lets waiters finish.

    For `notice_seconds` before that it serves as ever, closes each connection behind its answer
    and says at /readyz that it ends. Shortly before `drain_seconds` are over, whoever still waits
    is told how to go on.
    """

    def __init__(self, app: Ingress, settings: Settings) -> None:
        self._app = app
        self._notice_seconds = settings.ingress.notice_seconds
        self._drain_seconds = settings.ingress.drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending = asyncio.Event()
        self._was_told_again = False
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.ingress.host,
                port=settings.ingress.port,
                loop="uvloop",
                http=partial(  # type: ignore[arg-type] # called like the class
                    DoorProtocol,
                    border=app,
                    limits=settings.ingress,
                    refusals=app.metrics.http_requests,
                ),
                ws="none",
                lifespan="on",  # what is raised while it opens ends the process
                access_log=False,
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                date_header=True,
                backlog=4096,
            )
        )

    async def startup(self, sockets: list[socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"Forebay listens on http://{shown}:{port}", flush=True)  # noqa: T201
            leave_what_stays_to_itself()

    def end(self) -> None:
        """What SIGTERM does, from any thread; a second time it cuts the notice short."""
        self._was_told_again = self.should_exit
        self.should_exit = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._ending.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # The inherited one dies of the signal after draining, as if it had failed.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.end()

    async def main_loop(self) -> None:
        # The inherited one looks ten times a second whether it is to end.
        while not await self.on_tick(0):
            await self._until_told(_DATE_SECONDS)
        await self._give_notice()

    async def _give_notice(self) -> None:
        self._app.give_notice()
        self.config.encoded_headers.append((b"connection", b"close"))
        now = asyncio.get_running_loop().time
        until = now() + self._notice_seconds
        while not self._was_told_again and (left := until - now()) > 0:
            self._ending.clear()
            await self.on_tick(0)  # the headers of every answer, the date among them
            await self._until_told(min(left, _DATE_SECONDS))

    async def _until_told(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        patience = max(0.0, self._drain_seconds - _LAST_WORDS_SECONDS)
        goodbye = asyncio.get_running_loop().call_later(patience, self._app.say_goodbye)
        try:
            await self._drain(sockets or [])
        finally:
            goodbye.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    async def _drain(self, sockets: list[socket]) -> None:
        """As the inherited `shutdown` does it, which waits a tenth of a second for nothing."""
        for server in self.servers:
            server.close()
        for listening in sockets:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self._drain_seconds + _LAST_WORDS_SECONDS):
                await self._until_nobody_is_left()
        except TimeoutError:
            for task in self.server_state.tasks:
                task.cancel()

    async def _until_nobody_is_left(self) -> None:
        state = self.server_state
        while (state.connections or state.tasks) and not self.force_exit:  # noqa: ASYNC110 - uvicorn's
            await asyncio.sleep(_LOOK_SECONDS)
        for server in self.servers:
            await server.wait_closed()


def main() -> int:
    """Serve until told to end; 78 when the settings cannot be used, 1 when it cannot start."""
    try:
        settings = load_settings()
        app = build_app(settings)
    except SettingsError as error:
        print("\n".join(error.findings), file=sys.stderr)  # noqa: T201
        return _UNUSABLE_SETTINGS
    configure_logs(settings.telemetry)
    server = DrainingServer(app, settings)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
