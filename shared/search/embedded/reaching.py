"""The way to a folder's owner: whoever finds none starts one."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Final

from shared.errors import InvalidRequest
from shared.search.vector_store import StoreUnavailable

SOCKET: Final = "owner.sock"
LOCK: Final = "owner.lock"
LOG: Final = "owner.log"
NOT_OWNER: Final = 3
LONGEST_PATH: Final = 100
"""Of a socket, in bytes: kernels take 104 or 108."""
_PAUSE_SECONDS: Final = 0.02
_END_SECONDS: Final = 10.0


class OwnerProcess:
    """The owner that this process started, if it did.

    Several processes may reach for one folder at once: a lock lets one owner live, and the others
    find its socket. An owner ends with the process that started it, and the next call of any
    other starts the next. Never fork with one started and expect the child to keep it.
    """

    def __init__(self, folder: Path) -> None:
        path = folder.absolute() / SOCKET
        if len(os.fsencode(path)) > LONGEST_PATH:
            raise InvalidRequest(
                f"{path} is too long for a socket: choose a folder of at most "
                f"{LONGEST_PATH - len(SOCKET) - 1} bytes.",
                param="folder",
            )
        self._folder = folder.absolute()
        self._process: asyncio.subprocess.Process | None = None

    async def reach(self, *, until: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the owner; raises `StoreUnavailable` where none is there in time."""
        while time.monotonic() < until:
            try:
                return await asyncio.open_unix_connection(self._folder / SOCKET)
            except (FileNotFoundError, ConnectionError):
                await self._have_one()
            await asyncio.sleep(_PAUSE_SECONDS)
        raise StoreUnavailable(f"No owner of {self._folder} answers: read {LOG} there.")

    async def end(self) -> None:
        """Ends the owner that was started here; what it has acknowledged is on the disk then."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _END_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _have_one(self) -> None:
        """Starts an owner, unless one is on its way."""
        if self._process is not None:
            ended = self._process.returncode
            if ended is None:
                return
            self._process = None
            if ended > 0 and ended != NOT_OWNER:
                raise StoreUnavailable(
                    f"The owner of {self._folder} ended with {ended}: read {LOG} there."
                )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / LOG).open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "shared.search.embedded"),
                *(str(self._folder), str(os.getpid())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for its starter
            )
