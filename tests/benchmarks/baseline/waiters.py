"""A thousand clients that wait, each on a long poll of its own: what the door does meanwhile.

No worker runs, so nothing ever comes; the share of a core is what waiting itself costs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Final

import aiohttp
import msgspec

from tests.benchmarks.baseline.checkout import REVISION, Checkout, builds
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

WAITERS: Final = 1000
APART_SECONDS: Final = 0.007
"""They come one after the other, not as a crowd that has to be refused."""
SETTLE_SECONDS: Final = 6.0
"""Until the last of them has asked for the first time and waits."""
PERCENT: Final = 3.0

_MESSAGE: Final = {"model": "auto", "background": True, "input": "Anything new?"}
_WAIT: Final = {"Prefer": "wait=300"}


class _Accepted(msgspec.Struct):
    id: str


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Percent of one core, and how many were turned away, beside the older build."""
    rounds = {}
    with builds() as both:
        for name, build in both.items():
            say(f"{WAITERS:,} waiters at the door: {name}")
            rounds[name] = Rounds()
            _run(build, stage.bare_ground(Broker.RABBITMQ), max(seconds, 8.0), rounds[name])
    yield Row(
        what=f"door, {WAITERS:,} idle long polls, of one core (stock: {REVISION})",
        on=Broker.RABBITMQ,
        unit="%",
        ours=rounds["ours"]["cpu"],
        stock=rounds["stock"]["cpu"],
        limit=PERCENT,
    )
    yield Row(
        what="the same, turned away with 503",
        on=Broker.RABBITMQ,
        unit="times",
        ours=rounds["ours"]["refused"],
        stock=rounds["stock"]["refused"],
        limit=0,
    )


def _run(build: Checkout, ground: Ground, seconds: float, rounds: Rounds) -> None:
    key = build.prepare(ground)
    with build.door(ground) as program:
        program.wait_until(ground.is_served, "open door")
        share, refused = asyncio.run(_share(program, ground.port, key, seconds))
        rounds.add(cpu=share * 100, refused=refused)


async def _share(program: Program, port: int, key: str, seconds: float) -> tuple[float, int]:
    """Of a core, and how often somebody was told to come back later."""
    refused: list[str] = []
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        headers={"Authorization": f"Bearer {key}"},
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
    ) as client:
        ids = await asyncio.gather(*(_accepted(client) for _ in range(WAITERS)))
        waiting = [
            asyncio.create_task(_wait(client, each, n, refused)) for n, each in enumerate(ids)
        ]
        try:
            await asyncio.sleep(WAITERS * APART_SECONDS + SETTLE_SECONDS)
            began, cpu = time.monotonic(), program.cpu_seconds()
            await asyncio.sleep(seconds)
            share = (program.cpu_seconds() - cpu) / (time.monotonic() - began)
            assert not (ended := [each for each in waiting if each.done()]), ended[0].exception()
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
    return share, len(refused)


async def _accepted(client: aiohttp.ClientSession) -> str:
    async with client.post("/v1/responses", json=_MESSAGE) as answer:
        assert answer.ok, await answer.text()
        return msgspec.json.decode(await answer.read(), type=_Accepted).id


async def _wait(
    client: aiohttp.ClientSession, message_id: str, number: int, refused: list[str]
) -> None:
    """For ever; who is told to come back later does."""
    await asyncio.sleep(number * APART_SECONDS)
    while True:
        async with client.get(f"/v1/responses/{message_id}", headers=_WAIT) as answer:
            said = f"{answer.status} {await answer.text()}"
        assert answer.status == 503, said
        refused.append(said)
        await asyncio.sleep(1)
