"""A door on a real socket, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading

from ingress.__main__ import DrainingServer
from ingress.app import build_app
from shared.settings import Settings


class RunningDoor:
    """`python -m ingress` without the process: the same server, the same application."""

    def __init__(self, settings: Settings, *, port: int = 0) -> None:
        self._server = DrainingServer(build_app(settings), settings)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port = self._socket.getsockname()[1]
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> RunningDoor:
        """Return when requests are answered."""
        self._thread.start()
        self._ready.wait(60)
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the door did not start")
            self._thread.join(0.005)
        return self

    def tell_to_end(self) -> None:
        """What SIGTERM does."""
        if self.is_running:
            self._server.end()

    async def until_it_takes_nobody_new(self) -> None:
        """Returns when new connections are refused, which is the first thing an end does."""
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except ConnectionError:
                return
            writer.close()
            await asyncio.sleep(0.005)

    def close(self) -> None:
        """End it and wait for that."""
        self.tell_to_end()
        self._thread.join(60)
        self._socket.close()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def __enter__(self) -> RunningDoor:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        self._ready.set()
        self._server.run(sockets=[self._socket])
