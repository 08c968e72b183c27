"""What an open console costs those who post: rounds with pages open and rounds without take turns.

A page holds its stream, and goes from the messages to the batches and the dead letters and round
again, two seconds at each, as somebody does who looks for something. Messages come on time, 100 a
second, and are accepted for later, so a figure is what the door alone takes.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import cycle
from time import perf_counter
from typing import Final

import aiohttp

from ingress.console.guard import CSRF
from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.persistence.tenants import TenantRepository
from tests.benchmarks.console.filling import fill_ledger
from tests.benchmarks.ground.forebay import door, opened_ledger
from tests.benchmarks.ground.open_loop import at_share
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row

PAGES: Final = 2
PER_SECOND: Final = 100
MESSAGES: Final = 100_000
OF_CLOSED: Final = 1.02
_ROUNDS: Final = 20 if os.environ.get("SCALE") == "full" else 4
"""Of each kind."""
_AT_EACH: Final = 2.0
_SCREENS: Final = ("messages", "batches", "dead_letters")


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Acceptance at a door with pages of the console open, beside the same door without."""
    ground = stage.ground(Broker.REDIS, Ledger.POSTGRES)
    producer, reader = asyncio.run(_prepare(ground))
    with door(ground) as running:
        running.wait_until(ground.is_served, "door")
        latencies = asyncio.run(_measure(ground, producer, reader, seconds, say))
    for share in (0.5, 0.99):
        yield Row(
            what=f"acceptance beside {PAGES} open pages, p{share * 100:.0f} (stock: none)",
            on=f"{PER_SECOND} messages/s, {MESSAGES:,} in the ledger",
            unit="ms",
            ours=at_share(share, latencies[True]) * 1e3,
            stock=at_share(share, latencies[False]) * 1e3,
            target=OF_CLOSED if share == 0.99 else None,
        )


async def _prepare(ground: Ground) -> tuple[str, str]:
    await fill_ledger(ground.ledger_url, MESSAGES)
    async with opened_ledger(ground) as (database, tenant):
        keys = TenantRepository(database, SystemClock())
        scopes = KeyScope.PRODUCER, KeyScope.READER
        producer, reader = [(await keys.create_key(tenant, scope=one)).key for one in scopes]
    return producer, reader


async def _measure(
    ground: Ground, producer: str, reader: str, seconds: float, say: Progress
) -> dict[bool, list[float]]:
    latencies: dict[bool, list[float]] = {True: [], False: []}
    url, login = f"http://127.0.0.1:{ground.port}", {"Authorization": f"Bearer {producer}"}
    async with aiohttp.ClientSession(url, headers=login) as poster:
        await _posted(poster, 1.0)
        for turn in range(_ROUNDS):
            say(f"acceptance with the console open and closed, round {turn + 1} of {_ROUNDS}")
            for is_open in (True, False) if turn % 2 else (False, True):
                async with _pages(url, reader, PAGES if is_open else 0):
                    latencies[is_open] += await _posted(poster, seconds)
    return latencies


async def _posted(session: aiohttp.ClientSession, seconds: float) -> list[float]:
    async def post(number: int) -> float:
        began = perf_counter()
        body = {"input": f"What is the number {number}?", "background": True}
        async with session.post("/v1/responses", json=body) as answer:
            await answer.read()
            answer.raise_for_status()
        return perf_counter() - began

    posted = []
    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * PER_SECOND)):
            posted.append(group.create_task(post(number)))
            await asyncio.sleep(1 / PER_SECOND)
    return [each.result() for each in posted]


@asynccontextmanager
async def _pages(url: str, key: str, count: int) -> AsyncIterator[None]:
    jar = aiohttp.CookieJar(unsafe=True)  # it would keep none of an address in figures
    async with aiohttp.ClientSession(url, cookie_jar=jar) as session:
        async with session.post("/console/api/session", json={"key": key}) as answer:
            answer.raise_for_status()
            session.headers[CSRF.decode()] = (await answer.json())["csrf"]
        looking = [asyncio.create_task(_look(session)) for _ in range(count)]
        streams = [asyncio.create_task(_listen(session)) for _ in range(count)]
        try:
            yield
        finally:
            for task in looking + streams:
                task.cancel()
            ended = await asyncio.gather(*looking, *streams, return_exceptions=True)
            if troubles := [each for each in ended if isinstance(each, Exception)]:
                raise ExceptionGroup("pages could not be read", troubles)


async def _look(session: aiohttp.ClientSession) -> None:
    for path in cycle(_SCREENS):
        async with session.get(f"/console/api/{path}") as answer:
            await answer.read()
            answer.raise_for_status()
        await asyncio.sleep(_AT_EACH)


async def _listen(session: aiohttp.ClientSession) -> None:
    async with session.get("/console/api/live") as answer:
        async for _ in answer.content:
            pass
