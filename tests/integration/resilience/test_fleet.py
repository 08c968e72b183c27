"""Three worker processes and a provider that dies, comes back and dies again."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from tests.integration.resilience.asking_process import ASKERS, breaker_settings

PROCESSES = 3
ALIVE = Behaviour(kind=Kind.LATENCY, seconds=0.05)
SLOW = Behaviour(kind=Kind.LATENCY, seconds=0.8)
DEAD = Behaviour(kind=Kind.SERVER_ERROR, seconds=0.05)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text('[default]\nanswer = "Later, please."')
    return file


@asynccontextmanager
async def fleet(*arguments: str) -> AsyncIterator[list[Process]]:
    command = [sys.executable, "-m", "tests.integration.resilience.asking_process", *arguments]
    processes = [
        await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        for _ in range(PROCESSES)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def results(processes: list[Process]) -> list[dict[str, int]]:
    async with asyncio.timeout(60):
        said = await asyncio.gather(*(process.communicate(b"") for process in processes))
    return [json.loads(output) for output, _ in said]


def become(provider: ScriptedProvider, behaviour: Behaviour) -> None:
    provider.reset()
    provider.script(behaviour)


async def flowing(provider: ScriptedProvider) -> None:
    """Until every process calls the provider: more is under way than all but one could ask."""
    become(provider, SLOW)
    calls = provider.calls
    busy = (PROCESSES - 1) * ASKERS + 1
    await calls.until(lambda: calls.most_in_flight >= busy, timeout_seconds=60)


async def die(provider: ScriptedProvider, *, probes: int) -> None:
    """Until nobody but probes calls the provider any more."""
    become(provider, DEAD)
    await provider.calls.until(lambda: provider.calls.count >= 5, timeout_seconds=60)
    async with asyncio.timeout(60):
        while True:
            become(provider, DEAD)
            await asyncio.sleep(0.5)
            if max(provider.calls.count, provider.calls.in_flight) <= probes:
                break
    become(provider, DEAD)


async def probed(provider: ScriptedProvider, *, probes: int, periods: int = 3) -> None:
    """Calls at a dead provider: in each half-open period no more than are leased."""
    calls = provider.calls
    await calls.until(lambda: calls.count >= probes * periods, timeout_seconds=60)
    times = [call.at for call in calls]
    period = breaker_settings(probes).open_seconds
    for at in times:
        together = [other for other in times if at <= other < at + 0.5 * period]
        assert len(together) <= probes, times
    assert calls.most_in_flight <= probes


@pytest.mark.parametrize(("probes", "deaths"), [(1, 2), (3, 1)])
async def test_a_dead_provider_sees_no_more_probes_than_are_leased(
    redis_url: str, provider: ScriptedProvider, rules: Path, probes: int, deaths: int
) -> None:
    provider.script(ALIVE)
    async with fleet(redis_url, provider.openai_url, str(rules), str(probes)) as processes:
        for _ in range(deaths):
            await flowing(provider)
            await die(provider, probes=probes)
            await probed(provider, probes=probes)
        await back(provider, probes=probes)
        seen = await results(processes)

    for process in seen:
        assert process["primary"] > 0
        assert process["at_once"] > 10


async def back(provider: ScriptedProvider, *, probes: int) -> None:
    """The first calls of a provider that is back are probes, and then all may come."""
    become(provider, ALIVE)
    calls = provider.calls
    await calls.until(lambda: calls.count > 20, timeout_seconds=60)
    first, second = list(calls)[:2]
    if probes == 1:
        assert second.at >= first.at + (first.seconds or 0)
