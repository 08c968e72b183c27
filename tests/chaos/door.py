"""The real door in a process of its own, and producers that post to it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from tests.integration.ingress.new_key import new_key
from tests.integration.workers.stack import Stack
from tests.servers.ports import free_port
from tests.servers.process import ChildProcess

_TRY_AGAIN = frozenset({429, 503})
_PLENTY = str(10**7)
WIDE_LIMITS = {
    f"FOREBAY_LIMITS__{name}": _PLENTY
    for name in (
        "REQUESTS_PER_MINUTE",
        "TOKENS_PER_MINUTE",
        "USER_REQUESTS_PER_MINUTE",
        "USER_TOKENS_PER_MINUTE",
    )
}


class Door:
    """`python -m ingress` on a port that stays the same over kills.

    `through` is a command that runs another, which it is started by; it listens on `address`.
    """

    def __init__(
        self,
        stack: Stack,
        folder: Path,
        *,
        address: str = "127.0.0.1",
        through: Sequence[str] = (),
    ) -> None:
        self._place = {
            "FOREBAY_INGRESS__HOST": address,
            "FOREBAY_INGRESS__PORT": str(free_port()),
        }
        self._log = folder / "door.log"
        self._environment = {**stack.environment, **self._place}
        self._through = through
        self._process = self._child()
        self.key = asyncio.run(new_key(stack.settings.ledger))

    @property
    def url(self) -> str:
        return "http://{}:{}/v1/responses".format(*self._place.values())

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers."""
        self._process.pause()

    def resume(self) -> None:
        """SIGCONT."""
        self._process.resume()

    def start(self) -> Door:
        """Returns when it listens."""
        deadline = time.monotonic() + 60
        listening = self.log.count("Forebay listens on")
        self._process.spawn()
        while self.log.count("Forebay listens on") == listening:
            if time.monotonic() > deadline or not self._process.is_running:
                raise AssertionError(f"the door does not open:\n{self.log[-4000:]}")
            time.sleep(0.02)
        return self

    def kill(self) -> None:
        """SIGKILL: whatever it had not committed was never promised."""
        self._process.kill()

    def replace(self) -> None:
        """SIGKILL, and another one in its place."""
        self.kill()
        self._process = self._child()
        self.start()

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _child(self) -> ChildProcess:
        command = [*self._through, sys.executable, "-m", "ingress"]
        return ChildProcess(command=command, log=self._log, environment=self._environment)


class DoorPoster:
    """Posts over HTTP in the background, under an idempotency key."""

    def __init__(self, session: aiohttp.ClientSession, door: Door) -> None:
        self._session = session
        self._door = door
        self._authorization = {"Authorization": f"Bearer {door.key}"}

    async def __call__(self, text: str) -> str | None:
        """The id it was accepted under; None where the producer has to post again."""
        headers = {**self._authorization, "Idempotency-Key": text}
        body = {"input": text, "background": True, "user": text}
        try:
            async with self._session.post(self._door.url, json=body, headers=headers) as answer:
                if answer.status in _TRY_AGAIN:
                    return None
                told = await answer.text()
                assert answer.status == 200, f"{answer.status}: {told}"
                return str((await answer.json())["id"])
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def knows(self, message_id: str) -> bool:
        """Whether the door has the message; asked again while it can tell nobody."""
        url = f"{self._door.url}/{message_id}"
        for _ in range(100):
            async with self._session.get(url, headers=self._authorization) as answer:
                told = await answer.read()
                if answer.status < 500:
                    return answer.status == 200
            await asyncio.sleep(0.1)
        raise AssertionError(f"nobody is told of {message_id}: {told!r}")
