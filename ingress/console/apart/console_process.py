"""The process that works for those who look: started for the first, and again after it died."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from ingress.console.apart.control import ControlSign, tell_settings
from shared.errors import Unavailable
from shared.resilience.kept_running import end_tasks
from shared.settings import Settings
from shared.status.system_watch import IsWell

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
KEPT_SECONDS: Final = 600.0
"""How long it stays when nobody asks it for anything any more: it takes memory."""
_LOOK_SECONDS: Final = 1.0
_SOON_SECONDS: Final = 1.0
"""One that ends sooner than that, and has answered nobody, is not started again at once."""
_END_SECONDS: Final = 5.0
_HEAR_SECONDS: Final = 30.0
"""One that takes nobody for so long hangs; on cores that are busy it begins for ten of them."""
_FULL_SECONDS: Final = 0.05


class ConsoleProcess:
    """It ends with this one, whichever way that ends."""

    def __init__(self, settings: Settings, broker_is_well: IsWell) -> None:
        self._settings = settings
        self._broker_is_well = broker_is_well
        self._process: asyncio.subprocess.Process | None = None
        self._control: socket.socket | None = None
        self._beside: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._is_ending = False
        self._has_answered = False
        self._told_well = True
        self._open = 0
        self._began_at = self._asked_at = -_SOON_SECONDS

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._is_running() and self._process else None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Streams]:
        """A new connection to it; raises Unavailable."""
        self._open += 1
        try:
            reader, writer = await asyncio.open_connection(sock=await self._connection())
            try:
                yield reader, writer
                self._has_answered = True
            finally:
                writer.close()
        finally:
            self._open -= 1
            self._asked_at = time.monotonic()

    def give_notice(self) -> None:
        """The door ends soon: pages are to look for another one."""
        self._is_ending = True
        self._say(ControlSign.NOTICE)

    async def close(self) -> None:
        """End it, and wait for that."""
        if self._beside is not None:
            await end_tasks(self._beside)
        await self._end()

    async def _connection(self) -> socket.socket:
        async with self._one_at_a_time:
            for _ in range(2):  # one that has just died is heard of by not hearing us
                if not self._is_running():
                    await self._start()
                ours, theirs = socket.socketpair()
                with theirs:
                    if await self._hand_over(theirs):
                        return ours
                ours.close()
                await self._end()
        raise self._not_there()

    def _is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def _start(self) -> None:
        now = time.monotonic()
        if not self._has_answered and now - self._began_at < _SOON_SECONDS:
            raise self._not_there()
        self._began_at, self._has_answered, self._told_well = now, False, True
        await self._end()
        self._control, theirs = socket.socketpair()
        self._control.setblocking(False)
        with theirs:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "ingress.console.apart"),
                    stdin=theirs.fileno(),
                    start_new_session=True,  # a Ctrl-C in the terminal is for the door
                )
            except OSError as error:
                raise Unavailable(f"The console's own process cannot begin: {error}.") from error
        with suppress(OSError):  # it has ended: whoever asks it hears of that
            await tell_settings(self._control, self._settings)
        if self._is_ending:
            self._say(ControlSign.NOTICE)
        if self._beside is None or self._beside.done():
            self._beside = asyncio.create_task(self._look_after())

    async def _hand_over(self, connection: socket.socket) -> bool:
        """Whether it has it. One that still begins, and for which many wait, has time for that."""
        until = time.monotonic() + _HEAR_SECONDS
        while not self._say(ControlSign.CONNECTION, connection.fileno()):
            if not self._is_running() or time.monotonic() > until:
                return False
            await asyncio.sleep(_FULL_SECONDS)
        return True

    def _say(self, sign: ControlSign, *descriptors: int) -> bool:
        """Whether it is said."""
        if self._control is None:
            return False
        try:
            socket.send_fds(self._control, [sign.value], descriptors)
        except OSError:  # it has ended, or hears nothing any more
            return False
        return True

    async def _look_after(self) -> None:
        while self._is_running():
            is_well = await self._broker_is_well()
            sign = ControlSign.BROKER_IS_WELL if is_well else ControlSign.BROKER_IS_AWAY
            if is_well != self._told_well and self._say(sign):
                self._told_well = is_well
            async with self._one_at_a_time:  # nobody is handed over to one that we end
                if not self._open and time.monotonic() - self._asked_at > KEPT_SECONDS:
                    await self._end()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _end(self) -> None:
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is None:
            return
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _not_there(self) -> Unavailable:
        return Unavailable(
            "The console's own process has ended. The log of the door says why; the next request "
            "starts another.",
            retry_after_seconds=_SOON_SECONDS,
        )
