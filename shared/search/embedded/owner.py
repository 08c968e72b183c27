"""The owner: the one process that has a folder's shards open, and answers for them."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import msgspec

from shared.errors import ForebayError
from shared.search.embedded.bounded import bounded
from shared.search.embedded.calls import Reply, StoreRequest, as_reply
from shared.search.embedded.frames import MOST_BYTES, framed, read_head, skip, too_long
from shared.search.embedded.open_generation import WaitsForCopy
from shared.search.embedded.shards import Shards
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable

MOST_WAITING: Final = 64
MOST_HELD: Final = 32
"""Writes that wait for a copy; reads go on beside them."""
MOST_WAITING_BYTES: Final = 64 * 2**20
LONGEST_CALL_SECONDS: Final = 120
"""The first call on a large generation loads it, which takes seconds for a million points."""
_MOST_UNREAD_BYTES: Final = 64 * 2**20
"""Of answers that a caller does not fetch; then it is hung up on."""
_FLUSH_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 0.25


class _WaitingCall(msgspec.Struct, frozen=True):
    """A call that was read and not answered yet."""

    caller: asyncio.StreamWriter
    number: int
    content: bytes


class Owner:
    """Reads calls from all callers and answers one at a time, in the order they came.

    Beyond 64 waiting calls, or 64 MiB of them, a call is told `StoreBusy` at once. One whose
    caller's time is over is not begun. One that takes longer than `longest_call_seconds` ends the
    process by SIGALRM, for nothing else can end a call of the engine; the next owner has all that
    was acknowledged. What was written is flushed to the disk when a second
    passed without a call, or five with them; where enough was written, its graph is built then.
    """

    def __init__(self, shards: Shards, *, longest_call_seconds: int = LONGEST_CALL_SECONDS) -> None:
        self._shards = shards
        self._longest_call_seconds = longest_call_seconds
        self._queue: asyncio.Queue[_WaitingCall] = asyncio.Queue()
        self._waiting_calls = 0
        self._waiting_bytes = 0
        self._held: set[asyncio.Task[None]] = set()
        self._flushed_at = self._answered_at = time.monotonic()
        self._requests = msgspec.msgpack.Decoder(StoreRequest)

    async def receive(self, reader: asyncio.StreamReader, caller: asyncio.StreamWriter) -> None:
        """One caller's calls, until it hangs up."""
        try:
            while True:
                length, number = await read_head(reader)
                await self._take(reader, caller, length, number)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            caller.close()

    async def answer_all(self) -> None:
        """Never returns. A thread for the engine gains nothing: it holds the interpreter."""
        while True:
            waiting = await self._queue.get()
            self._forget(len(waiting.content))
            try:
                with bounded(self._longest_call_seconds):
                    reply = self._answered(waiting.content)
            except WaitsForCopy as wait:
                self._hold(waiting, wait)
                continue
            self._send(waiting.caller, waiting.number, reply)
            self._answered_at = time.monotonic()
            await asyncio.sleep(0)  # the callers' turn: what cannot wait is told so

    async def look_after_all(self) -> None:
        """Never returns; between two calls, for the engine is one thread's."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            rests = now - self._answered_at > _FLUSH_SECONDS
            if now - self._flushed_at > (1 if rests else 5) * _FLUSH_SECONDS:
                self._flushed_at = now
                self._shards.look_after()

    async def _take(
        self,
        reader: asyncio.StreamReader,
        caller: asyncio.StreamWriter,
        length: int,
        number: int,
    ) -> None:
        if length > MOST_BYTES:
            await skip(reader, length)
            self._send(caller, number, as_reply(too_long(length)))
        elif self._is_full(length):
            await skip(reader, length)
            busy = StoreBusy(f"{self._waiting_calls} calls wait for the index: ask again.")
            self._send(caller, number, as_reply(busy))
        else:
            await self._queue_content(reader, caller, length, number)

    def _is_full(self, length: int) -> bool:
        return (
            self._waiting_calls >= MOST_WAITING or self._waiting_bytes + length > MOST_WAITING_BYTES
        )

    async def _queue_content(
        self,
        reader: asyncio.StreamReader,
        caller: asyncio.StreamWriter,
        length: int,
        number: int,
    ) -> None:
        self._waiting_calls += 1
        self._waiting_bytes += length
        try:
            content = await reader.readexactly(length)
        except BaseException:
            self._forget(length)
            raise
        self._queue.put_nowait(_WaitingCall(caller, number, content))

    def _hold(self, waiting: _WaitingCall, wait: WaitsForCopy) -> None:
        if len(self._held) >= MOST_HELD:
            busy = StoreBusy("The index is being copied for its new graph: ask again.")
            self._send(waiting.caller, waiting.number, as_reply(busy))
            return
        held = asyncio.create_task(self._come_again(waiting, wait))
        self._held.add(held)
        held.add_done_callback(self._held.discard)

    async def _come_again(self, waiting: _WaitingCall, wait: WaitsForCopy) -> None:
        await wait.rebuild.copied.wait()
        self._waiting_calls += 1
        self._waiting_bytes += len(waiting.content)
        self._queue.put_nowait(waiting)

    def _forget(self, length: int) -> None:
        self._waiting_calls -= 1
        self._waiting_bytes -= length

    def _answered(self, content: bytes) -> Reply:
        try:
            request = self._requests.decode(content)
        except msgspec.DecodeError as error:
            return as_reply(StoreRefused(f"The owner cannot read the call: {error}"))
        if time.monotonic() > request.until:
            return as_reply(StoreUnavailable("The call waited too long and was not begun."))
        try:
            return self._shards.answer(request.call)
        except ForebayError as error:
            return as_reply(error)
        except OSError as error:
            return as_reply(StoreRefused(f"The folder of the index refused: {error}"))

    def _send(self, caller: asyncio.StreamWriter, number: int, reply: Reply) -> None:
        content = msgspec.msgpack.encode(reply)
        if len(content) > MOST_BYTES:
            error = StoreRefused(f"The answer has {len(content)} bytes: ask for fewer.")
            content = msgspec.msgpack.encode(as_reply(error))
        caller.write(framed(number, content))
        if caller.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            caller.transport.abort()
