"""The way to the processes that read and cut."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Final

import msgspec

from indexer.reading.__main__ import LENGTH
from indexer.reading.work import DocumentReading, DocumentToRead, UncutDocument

PATIENCE_SECONDS: Final = 120.0
"""A PDF has half of it for itself."""
_END_SECONDS: Final = 5.0


class DocumentReader:
    """Reads documents in up to `processes` child processes, which begin with the first documents.

    A process that does not answer in time is killed, and one that ends is followed by another:
    the document that it had is told as uncut. A child ends with this process.
    """

    def __init__(self, *, processes: int, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._free: asyncio.LifoQueue[_Child] = asyncio.LifoQueue()
        self._children = [_Child() for _ in range(processes)]
        for each in self._children:
            self._free.put_nowait(each)

    async def read(self, wanted: DocumentToRead) -> DocumentReading:
        """What became of it; waits until a process is free."""
        child = await self._free.get()
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await child.ask(wanted)
        except TimeoutError:
            await child.end()
            why = f"It was not read and cut within {self._patience_seconds:g} seconds."
            return UncutDocument(why)
        except (asyncio.IncompleteReadError, ConnectionError):
            await child.end()
            return UncutDocument("It ended the process that was to cut it.")
        except asyncio.CancelledError:
            await child.end()  # its answer would be taken for the next one's
            raise
        finally:
            self._free.put_nowait(child)

    async def close(self) -> None:
        """Ends all processes."""
        await asyncio.gather(*(each.end() for each in self._children))


class _Child:
    """One process, started when it is asked."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._answer = msgspec.msgpack.Decoder(DocumentReading)

    async def ask(self, wanted: DocumentToRead) -> DocumentReading:
        process = self._process or await self._start()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("a reading process has two pipes")
        asked = msgspec.msgpack.encode(wanted)
        process.stdin.write(LENGTH.pack(len(asked)))
        process.stdin.write(asked)
        await process.stdin.drain()
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        answer: DocumentReading = self._answer.decode(await process.stdout.readexactly(length))
        return answer

    async def end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _END_SECONDS)

    async def _start(self) -> Process:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "indexer.reading"),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,  # a Ctrl-C in the terminal is for its starter
        )
        return self._process
