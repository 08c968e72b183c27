"""`python -m ingress`: the door as a process."""

from __future__ import annotations

import asyncio
import math
import signal
import sys
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
_UNUSABLE_SETTINGS: Final = 78  # EX_CONFIG


class DrainingServer(uvicorn.Server):
    """Prints where it listens; told to end, it accepts nothing new and lets waiters finish.

    Shortly before `drain_seconds` are over, whoever still waits is told how to go on.
    """

    def __init__(self, app: Ingress, settings: Settings) -> None:
        self._app = app
        self._drain_seconds = settings.ingress.drain_seconds
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.ingress.host,
                port=settings.ingress.port,
                loop="uvloop",
                http=partial(  # type: ignore[arg-type] # called like the class
                    DoorProtocol, limits=settings.ingress, refusals=app.metrics.http_requests
                ),
                ws="none",
                lifespan="on",  # what is raised while it opens ends the process
                access_log=False,
                log_config=None,
                log_level="warning",
                proxy_headers=False,
                server_header=False,
                date_header=True,
                timeout_graceful_shutdown=math.ceil(self._drain_seconds + _LAST_WORDS_SECONDS),
                backlog=4096,
            )
        )

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(f"Forebay listens on http://{shown}:{port}", flush=True)  # noqa: T201
            leave_what_stays_to_itself()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # The inherited one dies of the signal after draining, as if it had failed.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        patience = max(0.0, self._drain_seconds - _LAST_WORDS_SECONDS)
        goodbye = asyncio.get_running_loop().call_later(patience, self._app.say_goodbye)
        try:
            await super().shutdown(sockets)
        finally:
            goodbye.cancel()


def main() -> int:
    """Serve until told to end; 78 when the settings cannot be used, 1 when it cannot start."""
    try:
        settings = load_settings()
    except SettingsError as error:
        print("\n".join(error.findings), file=sys.stderr)  # noqa: T201
        return _UNUSABLE_SETTINGS
    configure_logs(settings.telemetry)
    server = DrainingServer(build_app(settings), settings)
    server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
