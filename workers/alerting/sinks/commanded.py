"""A command of this machine, which gets the message as JSON on its standard input."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import Final

from shared.alerts.telling.deliveries import SinkOutcome
from shared.alerts.telling.message import AlertMessage
from shared.resilience.kept_running import end_tasks
from shared.settings.watching.alert_sinks import AlertSinkSettings

_LONGEST_ERROR: Final = 300
_READ_BYTES: Final = 4_096
_REST_SECONDS: Final = 0.5


class CommandSink:
    """Runs without a shell, in a process group of its own that is ended with all it began when its
    time is over. What it prints is read and, where it fails, the end of it told."""

    def __init__(self, settings: AlertSinkSettings) -> None:
        self._argv = settings.argv
        self._timeout_seconds = settings.timeout_seconds

    async def send(self, _message: AlertMessage, body: bytes) -> SinkOutcome:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as failed:
            return SinkOutcome(error=f"The command cannot be run: {failed}"[:_LONGEST_ERROR])
        said = asyncio.create_task(_end_of(process))
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await _give(process, body)
                code = await process.wait()
        except TimeoutError:
            limit = self._timeout_seconds
            return SinkOutcome(error=f"The command did not end within {limit:g} s and was ended.")
        finally:
            await _end(process)
            # What it left running may hold its standard error open for as long as it likes.
            await asyncio.wait([said], timeout=_REST_SECONDS)
            await end_tasks(said)
        if code == 0:
            return SinkOutcome()
        why = "" if said.cancelled() else said.result()
        return SinkOutcome(error=f"The command ended with {code}: {why}"[:_LONGEST_ERROR])


async def _give(process: asyncio.subprocess.Process, body: bytes) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    with suppress(OSError):  # it reads nothing, which is its own affair
        stdin.write(body + b"\n")
        await stdin.drain()
    stdin.close()


async def _end_of(process: asyncio.subprocess.Process) -> str:
    """The last of what it complains of; all of it is read, so that it never waits for us."""
    kept = b""
    while process.stderr is not None and (piece := await process.stderr.read(_READ_BYTES)):
        kept = (kept + piece)[-_LONGEST_ERROR:]
    return " ".join(kept.decode(errors="replace").split())


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
