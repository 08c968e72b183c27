"""A flood of one tenant, and another one with a few questions: by turns, and first come first."""

from __future__ import annotations

import asyncio
from statistics import median
from typing import Final

from deploy.cli.demo.scene import Told, expect
from deploy.cli.demo.scenes.batches.small_stage import SLOTS, small_stage
from deploy.cli.demo.stage import AMPLE, Stage
from deploy.scripted_provider.behaviour import Behaviour, Kind

_FLOOD: Final = 160
_QUESTIONS: Final = 5
_CALL_SECONDS: Final = 0.1
_FIRST_SECONDS: Final = 1.5
"""The first calls take longer, so that all of the flood is there before the others are made."""


async def flood_beside(stage: Stage) -> Told:  # noqa: ARG001 - it has stacks of its own
    async with small_stage() as one:
        by_turns, flood_by_turns = await _waits(one)
    async with small_stage(dispatches=False) as other:
        as_they_come, flood_as_it_comes = await _waits(other)
    expect(
        by_turns < as_they_come * 0.75,
        f"The small tenant waited {by_turns:.2f} s, and {as_they_come:.2f} s without dispatch.",
    )
    return Told(
        f"{_FLOOD} messages of one tenant on {SLOTS} slots, and {_QUESTIONS} of another behind "
        f"them: those take {by_turns:.2f} s (median), the flood {flood_by_turns:.1f} s in all. "
        f"First come, first served: {as_they_come:.2f} s and {flood_as_it_comes:.1f} s.",
        {
            "small_tenant_seconds": round(by_turns, 3),
            "small_tenant_seconds_undispatched": round(as_they_come, 3),
            "flood_seconds": round(flood_by_turns, 3),
            "flood_seconds_undispatched": round(flood_as_it_comes, 3),
        },
    )


async def _waits(stage: Stage) -> tuple[float, float]:
    """How long the small tenant's questions take, and how long all of the flood."""
    first = Behaviour(kind=Kind.LATENCY, seconds=_FIRST_SECONDS, times=SLOTS)
    stage.primary.script(first, contains="Flood")
    stage.primary.script(Behaviour(kind=Kind.LATENCY, seconds=_CALL_SECONDS))
    small = await stage.visitor_with(AMPLE, tenant="small")
    clock = asyncio.get_running_loop().time
    began = clock()
    flood = await asyncio.gather(
        *(stage.visitor.post(f"Flood {number}", background=True) for number in range(_FLOOD))
    )

    async def ask(number: int) -> float:
        asked = clock()
        heard = await small.post(f"Question {number}")
        expect(heard.state == "completed", f"A question of the small tenant is {heard.state}.")
        return clock() - asked

    seconds = await asyncio.gather(*map(ask, range(_QUESTIONS)))
    ended = await asyncio.gather(
        *(stage.visitor.get(each.body["id"], wait_seconds=25) for each in flood)
    )
    expect(all(each.state == "completed" for each in ended), "Not all of the flood is answered.")
    return median(seconds), clock() - began
