"""A provider dies, is left alone by the whole fleet, is probed by one call, and comes back."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from deploy.cli.demo.scene import SceneFailed, Told, expect
from deploy.cli.demo.stage import Stage, until
from deploy.cli.demo.visitor import Heard
from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.breakers.reading import BreakerState

_BREAKER: Final = "primary/scripted"
_CROWD: Final = 16
_ROUNDS: Final = 6
_PROBE_SECONDS: Final = 0.5


async def breaker(stage: Stage) -> Told:
    to_open = await _die(stage)
    await _leave_alone(stage)
    probes, workers = await _probe_in_vain(stage)
    await _come_back(stage)
    # A dead provider bills nothing: what is saved is its calls and their time, not money.
    return Told(
        f"The first provider died: {to_open} failed calls, and its breaker opened. The next "
        f"{_CROWD} messages went to the second one, none to the first. Half-open, {_CROWD} "
        f"messages at once over {workers} workers: {probes} probed it for the whole fleet, the "
        "others did not wait. It came back, probes succeeded, the breaker closed.",
        {
            "calls_to_open": to_open,
            "calls_while_open": 0,
            "messages_while_half_open": _CROWD,
            "workers": workers,
            "probes": probes,
        },
    )


async def _die(stage: Stage) -> int:
    """How many calls it took to open the breaker."""
    stage.primary.script(Behaviour(kind=Kind.SERVER_ERROR, status=503))
    for number in range(_ROUNDS):
        await _ask(stage, f"Are you dead yet, {number}?")
        if await _state(stage) is not BreakerState.CLOSED:
            return len(stage.primary.calls)
    raise SceneFailed(f"{len(stage.primary.calls)} failed calls did not open the breaker.")


async def _leave_alone(stage: Stage) -> None:
    """A crowd while it is open does not reach the first provider."""
    calls = stage.primary.calls
    for number in range(_ROUNDS):
        await _becomes(stage, BreakerState.OPEN)
        before = len(calls)
        await _crowd(stage, f"Open {number}")
        # A worker hears of it within its refresh, and a slow crowd may outlast the time it is open.
        if len(calls) == before:
            return
    raise SceneFailed("A provider with an open breaker was still called.")


async def _probe_in_vain(stage: Stage) -> tuple[int, int]:
    """The calls of one half-open time, while it is still dead, and how many workers shared it."""
    for number in range(_ROUNDS):
        await _becomes(stage, BreakerState.HALF_OPEN)
        stage.primary.reset()
        stage.primary.script(Behaviour(kind=Kind.SERVER_ERROR, seconds=_PROBE_SECONDS))
        began = time.monotonic()
        ids = [heard.body["id"] for heard in await _crowd(stage, f"Half-open {number}")]
        is_one_period = (
            time.monotonic() - began < _PROBE_SECONDS + stage.fleet.settings.open_seconds
        )
        workers = len(await stage.books.workers_of(ids))
        if is_one_period and workers > 1:
            probes = len(stage.primary.calls)
            expect(probes == stage.fleet.settings.probes, f"{probes} calls probed at once.")
            return probes, workers
    raise SceneFailed("No crowd was shared by two workers within one half-open time.")


async def _come_back(stage: Stage) -> None:
    """Probes succeed until it is closed, and then it is called like any other."""
    await _becomes(stage, BreakerState.HALF_OPEN)
    stage.primary.reset()
    calls = stage.primary.calls
    for number in range(_ROUNDS * _ROUNDS):
        was_closed, before = await _state(stage) is BreakerState.CLOSED, len(calls)
        await _ask(stage, f"Are you back, {number}?")
        if was_closed and len(calls) > before:
            return
    raise SceneFailed("The breaker did not close.")


async def _becomes(stage: Stage, state: BreakerState) -> None:
    """Time alone makes it half-open, a probe in vain opens it again."""

    async def is_so() -> bool:
        now = await _state(stage)
        if state is BreakerState.OPEN and now is BreakerState.HALF_OPEN:
            await _ask(stage, "Are you still dead?")
        return now is state

    expect(await until(is_so), f"The breaker is not {state}.")


async def _state(stage: Stage) -> BreakerState:
    return (await stage.fleet.breaker(_BREAKER)).state


async def _crowd(stage: Stage, name: str) -> list[Heard]:
    return await asyncio.gather(*(_ask(stage, f"{name}, {one}") for one in range(_CROWD)))


async def _ask(stage: Stage, text: str) -> Heard:
    heard = await stage.visitor.post(text)
    expect(heard.state == "completed", f"The response is {heard.state}: {heard.body}")
    return heard
