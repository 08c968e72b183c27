"""One connection to the owner, with many calls under way on it."""

from __future__ import annotations

import asyncio
from itertools import count

import msgspec

from shared.search.embedded.calls import Reply
from shared.search.embedded.frames import framed, read_head
from shared.search.vector_store import StoreUnavailable


class OwnerConnection:
    """Once it is lost it stays so, and every call under way on it raises `StoreUnavailable`.

    One that `was_heard` has had an answer: the kernel also connects to an owner that is going and
    will never look at who came.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[bytes]] = {}
        self._replies = msgspec.msgpack.Decoder[Reply](Reply)
        self._reading = asyncio.create_task(self._read())
        self.was_heard = False

    @property
    def is_lost(self) -> bool:
        return self._reading.done()

    async def ask(self, content: bytes) -> Reply:
        """What the owner answers to this one."""
        number = next(self._numbers)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self._writer.write(framed(number, content))
            await self._writer.drain()
            reply: Reply = self._replies.decode(await answer)
            return reply
        except ConnectionError as error:
            del self._asked[number]
            await self.close()  # a caller that asks again at once would never let the reader see it
            raise _lost() from error
        finally:
            self._asked.pop(number, None)

    async def close(self) -> None:
        self._writer.close()
        self._reading.cancel()
        await asyncio.wait((self._reading,))

    async def _read(self) -> None:
        try:
            while True:
                length, number = await read_head(self._reader)
                content = await self._reader.readexactly(length)
                self.was_heard = True
                answer = self._asked.get(number)  # its caller may have gone
                if answer is not None and not answer.done():
                    answer.set_result(content)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writer.close()
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_exception(_lost())


def _lost() -> StoreUnavailable:
    return StoreUnavailable("The index's owner went away during the call: the same again is safe.")
