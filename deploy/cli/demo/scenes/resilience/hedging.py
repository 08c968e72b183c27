"""A provider that is late is not waited for: a second one is asked beside it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from deploy.cli.demo.dollars import price_tag
from deploy.cli.demo.scene import SceneFailed, Told, expect
from deploy.cli.demo.stage import Stage
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.call import Ending, ScriptedCall

_LATE_SECONDS: Final = 5.0
_QUICK_ONES: Final = 24
_ROUNDS: Final = 3


async def hedging(stage: Stage) -> Told:
    question, heard, seconds = await _overtaken(stage)
    (late,) = _calls(stage.primary.calls, question)
    await stage.primary.calls.until(lambda: late.ending is not Ending.RUNNING)
    expect(late.ending is Ending.CUT_BY_CLIENT, f"The late call ended as {late.ending}.")
    # What it buys is time; the prompt of the call that was cut is paid on top.
    return Told(
        f"The first provider needed {_LATE_SECONDS:g} s, later than it ever was, so the second "
        f"was asked as well: answered after {seconds:.1f} s, and the late call was cut. Both are "
        f"booked: {price_tag(heard.cost)}.",
        {
            "late_call_seconds": _LATE_SECONDS,
            "seconds_to_answer": round(seconds, 2),
            "provider_calls": 2,
        },
    )


async def _overtaken(stage: Stage) -> tuple[str, Heard, float]:
    """A question that both were asked, the answer to it, and the seconds it took."""
    for number in range(_ROUNDS):
        await _learn(stage, number)
        question = f"Who is faster, {number}?"
        late = Behaviour(kind=Kind.LATENCY, seconds=_LATE_SECONDS)
        stage.primary.script(late, contains=question)
        began = time.monotonic()
        heard = await stage.visitor.post(question)
        seconds = time.monotonic() - began
        expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
        if _calls(stage.secondary.calls, question):
            return question, heard, seconds
    raise SceneFailed("The second provider was never asked beside the first one.")


async def _learn(stage: Stage, number: int) -> None:
    """Every worker sees how quick the first provider usually is."""
    quick = (stage.visitor.post(f"Quick {number}, {one}") for one in range(_QUICK_ONES))
    await asyncio.gather(*quick)


def _calls(calls: Iterable[ScriptedCall], question: str) -> list[ScriptedCall]:
    return [call for call in calls if call.content == question]
