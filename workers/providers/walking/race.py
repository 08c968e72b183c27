"""Two calls for one message: the second begins when the first is late, and one of them is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from workers.providers.attempt import RejectedAnswer
from workers.providers.failures import ProviderError
from workers.providers.outcome import Answer, HandedOff
from workers.providers.provider import Piece, Sink
from workers.providers.walking.call import Call
from workers.providers.walking.means import Sleep

Stands = Answer | HandedOff | None


class Racer(NamedTuple):
    """A call and how long it may take."""

    call: Call
    seconds: float


OpenSecond = Callable[[], Awaitable[Racer | None]]
"""Finds who is asked beside the first; None when there is nobody."""


class Race:
    """Whoever writes the first token takes the stream; where none is written, the first answer
    that stands wins. The other is cancelled at that moment.

    A call that fails leaves the message to the other one. When both have failed, what the first
    came to is what counts; a second one alone neither refuses a message nor ends its walk.
    """

    def __init__(
        self,
        first: Racer,
        open_second: OpenSecond,
        *,
        sink: Sink | None,
        patience_seconds: float,
        sleep: Sleep,
    ) -> None:
        self._first = first
        self._open_second = open_second
        self._sink = sink
        self._patience_seconds = patience_seconds
        self._sleep = sleep
        self._speaker: Call | None = None
        self._spoken = asyncio.get_running_loop().create_future()
        self._runs: dict[asyncio.Task[Stands], Call] = {}
        self.winner = first.call
        """Whose outcome was returned or raised."""
        self.second: Call | None = None
        """The hedge, where there was one."""

    async def outcome(self) -> Stands:
        """What stands; raises as a call alone would."""
        try:
            first = self._start(self._first)
            if await self._is_late(first):
                second = await self._open_second()
                if second is not None:
                    await self._begin_second(second, is_wanted=not first.done())
            return await self._decided()
        finally:
            await self._end()

    async def _begin_second(self, second: Racer, *, is_wanted: bool) -> None:
        """Unless the first was heard meanwhile."""
        if is_wanted and self._speaker is None:
            self.second = second.call
            self._start(second)
        else:
            await second.call.forgo()

    def _start(self, entry: Racer) -> asyncio.Task[Stands]:
        sink = self._sink_of(entry.call) if self._sink is not None else None
        running = entry.call.outcome(sink, seconds=entry.seconds)
        task = asyncio.get_running_loop().create_task(running)
        self._runs[task] = entry.call
        return task

    async def _is_late(self, first: asyncio.Task[Stands]) -> bool:
        timer = asyncio.ensure_future(self._sleep(self._patience_seconds))
        try:
            await asyncio.wait((first, self._spoken, timer), return_when=asyncio.FIRST_COMPLETED)
            return timer.done() and not first.done() and not self._spoken.done()
        finally:
            timer.cancel()

    def _sink_of(self, call: Call) -> Sink:
        async def speak(piece: Piece) -> None:
            self._give_floor(call)
            if self._speaker is call and self._sink is not None:
                await self._sink(piece)

        return speak

    def _give_floor(self, call: Call) -> None:
        if self._speaker is not None:
            return
        self._speaker = call
        self._spoken.set_result(None)
        for task, other in self._runs.items():
            if other is not call:
                task.cancel()

    async def _decided(self) -> Stands:
        running = set(self._runs)
        while running:
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            decisive = [task for task in ended if self._decides(task)]
            if decisive:
                return self._won(max(decisive, key=_stands))
        for task in self._runs:
            if not task.cancelled():
                return self._won(task)
        raise asyncio.CancelledError

    def _decides(self, task: asyncio.Task[Stands]) -> bool:
        if task.cancelled():
            return False
        error = task.exception()
        match error:
            case None:
                return task.result() is not None
            case RejectedAnswer():
                return error.judgement.hands_off
            case _:
                return not isinstance(error, ProviderError)

    def _won(self, task: asyncio.Task[Stands]) -> Stands:
        self.winner = self._runs[task]
        return task.result()

    async def _end(self) -> None:
        for task in self._runs:
            task.cancel()
        await asyncio.gather(*self._runs, return_exceptions=True)
        for call in self._runs.values():
            # Whoever was cancelled before it began gave nothing back.
            await call.forgo()
            if call is not self.winner:
                call.lose()


def _stands(task: asyncio.Task[Stands]) -> bool:
    return task.exception() is None
