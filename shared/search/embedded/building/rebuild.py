"""The graph of one generation, from the copy of its shard to the swap."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import structlog

from shared.errors import ForebayError
from shared.search.embedded.bounded import bounded
from shared.search.embedded.building.copying import allocated, copy_folder
from shared.search.embedded.building.journal import Journal, calls_behind
from shared.search.embedded.calls import WriteCall
from shared.search.embedded.places import GenerationPlace
from shared.search.vector_store import StoreUnavailable

_SWAP_SECONDS: Final = 120
_ROOM: Final = 2.5
"""Of what the shard takes on the disk: the copy, and what is built from it."""
_log: Final = structlog.get_logger(__name__)
Swap = Callable[[Path, Iterable[WriteCall], int], None]


class Rebuild:
    """Copies the shard that serves, has another process build the copy, and swaps it in.

    While it copies, writes wait; while it builds, they are kept and repeated on the copy, so the
    swap loses none. Whatever dies before the swap, the old shard serves, and after it the new one.
    """

    def __init__(self, place: GenerationPlace, swap: Swap) -> None:
        self._place = place
        self._swap = swap
        self._shard = place.another()
        self._journal: Journal | None = None
        self._points = 0
        self._builder: asyncio.subprocess.Process | None = None
        self.name = self._shard.name
        self.failed: str | None = None
        """Why nothing was swapped; to be read when it has ended."""
        self.copied = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    @property
    def is_running(self) -> bool:
        return not self._running.done()

    def keep(self, call: WriteCall, points: int) -> None:
        """For the copy, what the serving shard has just taken."""
        if self._journal is None or self.failed is not None:
            return
        try:
            self._journal.keep(call)
            self._points += points
        except OSError as error:
            self.abandon(f"What is written meanwhile cannot be kept: {error}")

    def abandon(self, reason: str) -> None:
        """Nothing of it is swapped from here on."""
        self.failed = self.failed or reason
        _log.warning("index_not_rebuilt", reason=reason)
        if self._builder is not None and self._builder.returncode is None:
            self._builder.kill()
        self.copied.set()
        self._running.cancel()

    async def ended(self) -> None:
        await asyncio.wait((self._running,))

    async def _run(self) -> None:
        try:
            await self._copy()
            position = await self._build()
            self._end(position)
        except (OSError, ForebayError) as error:
            self.failed = str(error)
            _log.warning("index_not_rebuilt", reason=self.failed)
        finally:
            self.copied.set()
            if self._journal is not None:
                self._journal.discard()
            if self._place.folder.exists() and self._place.serving != self._shard:
                shutil.rmtree(self._shard, ignore_errors=True)

    async def _copy(self) -> None:
        serving = self._place.serving
        needed = int(_ROOM * allocated(serving))
        free = shutil.disk_usage(serving).free
        if free < needed:
            raise StoreUnavailable(f"A new graph needs {needed} bytes of disk, {free} are free.")
        await asyncio.to_thread(copy_folder, serving, self._shard)
        self._journal = Journal(self._shard.with_name(f"{self._shard.name}.journal"))
        self.copied.set()

    async def _build(self) -> int:
        """How far into the journal the builder came."""
        assert self._journal is not None  # noqa: S101 - made with the copy
        self._builder = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "shared.search.embedded.building"),
            *map(str, (self._place.folder, self._shard, self._journal.path, 0, os.getpid())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # so that it can give way to all of ours
        )
        told, _ = await self._builder.communicate()
        code = self._builder.returncode
        if code:
            how = signal.Signals(-code).name if code < 0 else str(code)
            raise StoreUnavailable(f"The builder ended with {how}: the same again is safe.")
        return int(told)

    def _end(self, position: int) -> None:
        """In one turn of the loop: no call comes in between."""
        assert self._journal is not None  # noqa: S101 - made with the copy
        tail = (call for call, _ in calls_behind(self._journal.path, position))
        with bounded(_SWAP_SECONDS):
            self._swap(self._shard, tail, self._points)
