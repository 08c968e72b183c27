"""The leave to make a second call is given back also where that call is never made."""

from __future__ import annotations

import asyncio

from shared.breakers.reading import CallOutcome
from shared.clock import ManualClock
from tests.unit.workers.providers.scripted_links import PROMPT, answer
from tests.unit.workers.providers.steered import SteeredProvider
from workers.providers.provider import Piece
from workers.providers.walking.call import Call
from workers.providers.walking.link import ChainLink
from workers.providers.walking.means import Means
from workers.providers.walking.race import Race, Racer


class CountedLeave:
    """Says how often it was given back."""

    is_probe = False

    def __init__(self) -> None:
        self.ends: list[CallOutcome] = []

    async def end(self, outcome: CallOutcome) -> None:
        self.ends.append(outcome)


class Meeting:
    """A race whose first call speaks at the moment at which the second is found."""

    def __init__(self) -> None:
        self.first, self.second = SteeredProvider("first"), SteeredProvider("second")
        self.leaves = CountedLeave(), CountedLeave()
        self._means = Means(clock=ManualClock())

    def racer(self, place: int) -> Racer:
        provider = (self.first, self.second)[place]
        call = Call(
            ChainLink(provider=provider),
            PROMPT,
            permit=self.leaves[place],
            ordinal=place + 1,
            judge=None,
            means=self._means,
            purse=None,
        )
        return Racer(call=call, seconds=60)

    async def run(self, *, turns: int) -> None:
        """`turns` of the loop pass between the first word and the second call."""

        async def found() -> Racer:
            self.first.does("Hi", answer("Hi"))
            for _ in range(turns):
                await asyncio.sleep(0)
            return self.racer(1)

        async def late(_: float) -> None:
            await self.first.called.wait()

        async def hear(piece: Piece) -> None:
            assert piece == "Hi"

        race = Race(self.racer(0), found, sink=hear, patience_seconds=1, sleep=late)
        await race.outcome()


async def test_of_a_call_that_was_cancelled_before_it_began() -> None:
    meeting = Meeting()
    await meeting.run(turns=0)
    assert meeting.second.calls == 0
    assert [len(leave.ends) for leave in meeting.leaves] == [1, 1]


async def test_of_a_call_that_nobody_needs_any_more() -> None:
    meeting = Meeting()
    await meeting.run(turns=5)
    assert meeting.second.calls == 0
    assert [len(leave.ends) for leave in meeting.leaves] == [1, 1]
