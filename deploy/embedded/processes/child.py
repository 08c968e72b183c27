"""A role's process: started, watched, started again when it crashes, stopped in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy.embedded.errors import StackFailed
from deploy.embedded.files.log_file import bound_log, log_tail
from deploy.embedded.processes.leash import Leash
from deploy.embedded.processes.polling import until
from deploy.embedded.processes.role import ProcessRole

START_SECONDS: Final = 30.0
OTHERS_WAIT_SECONDS: Final = 8.0
"""For a part that is not needed; after that it starts beside those that are."""
_BACKOFF_SECONDS: Final = (0.2, 1.0, 2.0, 5.0, 10.0)
_HEALTHY_SECONDS: Final = 60.0
"""A process that ran this long has earned a fresh backoff."""

Report = Callable[[str], None]


class Child:
    """Keeps one role running between `start` and `stop`; says what happens through `report`."""

    def __init__(self, role: ProcessRole, *, leash: Leash, log: Path, report: Report) -> None:
        self.role = role
        self.log = log
        self._leash = leash
        self._report = report
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def pid(self) -> int | None:
        """Of the running process; None while there is none."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def start(self) -> None:
        """Return when the role is ready; raises StackFailed with the end of its log.

        A role that is not needed is kept running whatever becomes of its start; that is said.
        """
        bound_log(self.log)
        process = await self._spawn()
        seconds = START_SECONDS if self.role.is_needed else OTHERS_WAIT_SECONDS
        if not await self._is_ready(process, seconds=seconds):
            why = self._why_not(process.returncode)
            if self.role.is_needed:
                raise StackFailed(why)
            self._report(f"{why}\nThe others go on without it until it is there.")
        self._keeper = asyncio.create_task(self._keep(process))

    async def stop(self) -> None:
        """Ask it to end, wait as long as its role allows, then kill what is left of its group."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(self.role.patience_seconds):
                    await process.wait()
            except TimeoutError:
                self._report(f"{self.role.name} did not stop in time and was killed.")
        _kill_group(process.pid)
        await process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._process = await self._leash.spawn(
            self.role.command, environment=self.role.environment, log=self.log
        )
        return self._process

    async def _is_ready(self, process: asyncio.subprocess.Process, *, seconds: float) -> bool:
        ready = asyncio.ensure_future(until(self.role.is_ready))
        ended = asyncio.ensure_future(process.wait())
        try:
            await asyncio.wait({ready, ended}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done() or ended.done():
                return False
            await ready
        finally:
            ready.cancel()
            ended.cancel()
        return True

    async def _keep(self, process: asyncio.subprocess.Process) -> None:
        crashes = 0
        while True:
            started = self._loop.time()
            code = await process.wait()
            _kill_group(process.pid)
            if self._loop.time() - started > _HEALTHY_SECONDS:
                crashes = 0
            pause = _BACKOFF_SECONDS[min(crashes, len(_BACKOFF_SECONDS) - 1)]
            crashes += 1
            self._report(
                f"{self.role.name} {_ending(code)}; started again in {pause:g} s. See {self.log}."
            )
            await asyncio.sleep(pause)
            process = await self._spawn()

    def _why_not(self, code: int | None) -> str:
        what = "is not ready in time" if code is None else f"{_ending(code)} while starting"
        tail = log_tail(self.log)
        return f"{self.role.name} {what}. Its log {self.log} ends:\n{tail or '(nothing)'}"


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def _kill_group(pid: int) -> None:
    # The watchdog is still in the group, so the number cannot have gone to a stranger.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
