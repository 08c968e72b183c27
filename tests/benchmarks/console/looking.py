"""`python -m tests.benchmarks.console.looking URL KEY`: people who look, in a process of their own.

Each line of its input is how many pages are open from then on; it says that number again once they
are. What a browser does is done on another machine, so this gives way to everybody.
"""

from __future__ import annotations

import asyncio
import sys
from itertools import cycle
from typing import Final

import aiohttp

from ingress.console.guard import CSRF
from shared.niceness import give_way

_AT_EACH: Final = 2.0
_SCREENS: Final = ("messages", "batches", "dead_letters")
_BEATS: Final = b"event: beat"


class OpenPage:
    """It holds its stream, and goes from screen to screen, two seconds at each."""

    def __init__(self, session: aiohttp.ClientSession, number: int) -> None:
        self._session = session
        self._number = number
        self._is_live = asyncio.Event()
        self._tasks = [asyncio.create_task(each) for each in (self._listen(), self._look())]

    async def opened(self) -> None:
        """Return when it is live; raises what went wrong."""
        live = asyncio.create_task(self._is_live.wait())
        await asyncio.wait([live, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        live.cancel()
        for each in self._tasks:
            if each.done():
                each.result()

    async def close(self) -> None:
        """Leave; raises what went wrong meanwhile."""
        for each in self._tasks:
            each.cancel()
        ended = await asyncio.gather(*self._tasks, return_exceptions=True)
        if troubles := [each for each in ended if isinstance(each, Exception)]:
            raise ExceptionGroup("a page could not be read", troubles)

    async def _listen(self) -> None:
        async with self._session.get("/console/api/live") as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if line.startswith(_BEATS):
                    self._is_live.set()
        raise EOFError("The stream has ended.")

    async def _look(self) -> None:
        await asyncio.sleep(_AT_EACH * (self._number % 4) / 4)  # nobody clicks in step with others
        for path in cycle(_SCREENS):
            async with self._session.get(f"/console/api/{path}") as answer:
                await answer.read()
                answer.raise_for_status()
            await asyncio.sleep(_AT_EACH)


async def main(url: str, key: str) -> None:
    """Log in once, and look until the input ends."""
    jar = aiohttp.CookieJar(unsafe=True)  # it would keep none of an address in figures
    async with aiohttp.ClientSession(url, cookie_jar=jar) as session:
        async with session.post("/console/api/session", json={"key": key}) as answer:
            answer.raise_for_status()
            session.headers[CSRF.decode()] = (await answer.json())["csrf"]
        pages: list[OpenPage] = []
        while line := await asyncio.to_thread(sys.stdin.readline):
            while len(pages) > int(line):
                await pages.pop().close()
            while len(pages) < int(line):
                pages.append(OpenPage(session, len(pages)))
            for each in pages:
                await each.opened()
            print(int(line), flush=True)


if __name__ == "__main__":
    give_way(19)
    asyncio.run(main(*sys.argv[1:]))
