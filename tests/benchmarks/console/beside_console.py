"""What an open console costs those who post: rounds with pages open and rounds without take turns.

Messages come on time, 100 a second, and are accepted for later, so a figure is what the door alone
takes. Who looks does so in a process of its own, which gives way to all others: on the machine of a
door there is no browser. In each turn there is a round without pages twice: their ratio is what
this machine cannot tell apart. So is what a ratio's interval spans, which holds 90 % of draws of
the turns. A figure is the median of its rounds. With SCALE=full there are more turns, and ten pages
as well.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from statistics import median
from time import perf_counter
from typing import Final, NamedTuple

import aiohttp
from msgspec import structs
from sqlalchemy import update

from shared.clock import SystemClock
from shared.messages.state import ResponseState
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import message
from shared.persistence.tenants import TenantRepository
from shared.rollups.cubes import TimeSpan
from shared.rollups.folding import Folding
from shared.rollups.rebuilding import RollupRebuilding
from shared.settings import Settings
from tests.benchmarks.console.filling import fill_ledger
from tests.benchmarks.console.looking_people import LookingPeople
from tests.benchmarks.ground.forebay import door, opened_ledger, settings_of
from tests.benchmarks.ground.open_loop import at_share
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Row
from tests.servers.ports import free_port

PER_SECOND: Final = 100
MESSAGES: Final = 100_000
OF_CLOSED: Final = 1.02
_IS_FULL: Final = os.environ.get("SCALE") == "full"
_TURNS: Final = 100 if _IS_FULL else 6
_DRAWS: Final = 400
_WITHIN: Final = {"FOREBAY_CONSOLE__OWN_PROCESS": "false"}
_FIGURES_OF: Final = timedelta(days=1)


class _Arm(NamedTuple):
    """A door with so many pages open."""

    what: str
    within: bool
    pages: int


_NONE: Final = _Arm("no page", within=False, pages=0)
_AGAIN: Final = _Arm("no page, once more", within=False, pages=0)
_OPEN: Final = (
    _Arm("2 open pages", within=False, pages=2),
    _Arm("2 open pages, own_process = false", within=True, pages=2),
    *((_Arm("10 open pages", within=False, pages=10),) if _IS_FULL else ()),
)


class _Round(NamedTuple):
    latencies: list[float]
    door_seconds: float
    console_seconds: float


class _Place(NamedTuple):
    """A door, those who post there and those who look."""

    program: Program
    poster: aiohttp.ClientSession
    people: LookingPeople

    async def round(self, pages: int, seconds: float) -> _Round:
        await self.people.look(pages)
        own, whole = self.program.own_cpu_seconds(), self.program.cpu_seconds()
        latencies = await _posted(self.poster, seconds)
        own, whole = self.program.own_cpu_seconds() - own, self.program.cpu_seconds() - whole
        await self.people.look(0)
        return _Round(latencies, own, whole - own)


_Rounds = Mapping[_Arm, list[_Round]]
"""Of each arm as many, and those at one place are of one turn."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Acceptance at a door with pages of the console open, beside the same door without."""
    apart = stage.ground(Broker.REDIS, Ledger.POSTGRES)
    folder = apart.folder / "within"
    folder.mkdir()
    within = structs.replace(apart, port=free_port(), folder=folder)
    with door(apart) as one, door(within, extra=_WITHIN) as other:
        one.wait_until(apart.is_served, "door")
        other.wait_until(within.is_served, "door")
        doors = {False: (one, apart), True: (other, within)}
        rounds = asyncio.run(_measure(doors, seconds, say))
    for arm in (*_OPEN, _AGAIN):
        yield from _acceptance(arm, rounds)
    for arm in _OPEN:
        yield from _costs(arm, rounds, seconds)


def _acceptance(arm: _Arm, rounds: _Rounds) -> Iterator[Row]:
    for share in (0.5, 0.99):
        low, high = _interval(share, rounds[arm], rounds[_NONE])
        is_bounded = share == 0.99 and arm in _OPEN and not arm.within
        yield Row(
            what=f"acceptance, {arm.what}, p{share * 100:.0f}: {low:.2f}x to {high:.2f}x",
            on=f"{PER_SECOND} messages/s, {MESSAGES:,} in the ledger",
            unit="ms",
            ours=_at_share(share, rounds[arm]) * 1e3,
            stock=_at_share(share, rounds[_NONE]) * 1e3,
            target=OF_CLOSED if is_bounded else None,
        )


def _costs(arm: _Arm, rounds: _Rounds, seconds: float) -> Iterator[Row]:
    def share(some: Iterable[float]) -> float:
        return sum(some) / (len(rounds[arm]) * seconds) * 100

    on = f"{PER_SECOND} messages/s"
    yield Row(
        what=f"what the door takes of a core, {arm.what}",
        on=on,
        unit="%",
        ours=share(each.door_seconds for each in rounds[arm]),
        stock=share(each.door_seconds for each in rounds[_NONE]),
    )
    if not arm.within:
        taken = share(each.console_seconds for each in rounds[arm])
        yield Row(what=f"what its console takes, {arm.what}", on=on, unit="%", ours=taken)


def _interval(share: float, ours: list[_Round], stock: list[_Round]) -> tuple[float, float]:
    """Where 90 % of the ratios lie that other turns like these would have given."""
    drawn, turns = random.Random(1), range(len(ours))
    ratios = []
    for _ in range(_DRAWS):
        some = drawn.choices(turns, k=len(turns))
        both = ([rounds[turn] for turn in some] for rounds in (ours, stock))
        one, other = (_at_share(share, rounds) for rounds in both)
        ratios.append(one / other)
    return at_share(0.05, ratios), at_share(0.95, ratios)


def _at_share(share: float, rounds: Iterable[_Round]) -> float:
    # Of all latencies together it would be that of the few rounds in which others had the cores.
    return median(at_share(share, each.latencies) for each in rounds)


async def _measure(
    doors: Mapping[bool, tuple[Program, Ground]], seconds: float, say: Progress
) -> _Rounds:
    arms = (_NONE, _AGAIN, *_OPEN)
    rounds: dict[_Arm, list[_Round]] = {arm: [] for arm in arms}
    ground = doors[False][1]
    say(f"filling a ledger with {MESSAGES:,} messages")
    await fill_ledger(ground.ledger_url, MESSAGES)
    async with opened_ledger(ground) as (database, tenant), AsyncExitStack() as exits:
        await _reckon_figures(database, settings_of(ground))
        keys = TenantRepository(database, SystemClock())
        scopes = KeyScope.PRODUCER, KeyScope.READER
        producer, reader = [(await keys.create_key(tenant, scope=one)).key for one in scopes]
        places = {
            within: await exits.enter_async_context(_place(program, at.port, producer, reader))
            for within, (program, at) in doors.items()
        }
        for turn in range(_TURNS):
            say(f"acceptance with the console open and closed, turn {turn + 1} of {_TURNS}")
            for arm in random.Random(turn).sample(arms, len(arms)):
                rounds[arm].append(await places[arm.within].round(arm.pages, seconds))
            await _answer_all(database)
    return rounds


@asynccontextmanager
async def _place(program: Program, port: int, producer: str, reader: str) -> AsyncIterator[_Place]:
    url, login = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {producer}"}
    async with (
        aiohttp.ClientSession(url, headers=login) as poster,
        LookingPeople(url, reader) as people,
    ):
        place = _Place(program, poster, people)
        await place.round(1, 1.0)  # what is loaded once is loaded
        yield place


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


async def _reckon_figures(database: Database, settings: Settings) -> None:
    """Screens have some to read."""
    clock = SystemClock()
    span = TimeSpan(clock.now() - _FIGURES_OF, clock.now())
    async for _ in RollupRebuilding(database, settings, clock).rebuild(span):
        pass
    await Folding(database).fold()


async def _answer_all(database: Database) -> None:
    """As workers would have meanwhile: screens and doors look at what waits."""
    ended = {"state": ResponseState.COMPLETED, "finished_at": SystemClock().now()}
    waiting = update(message).where(message.c.state == ResponseState.QUEUED).values(ended)
    async with transaction(database.relaxed) as connection:
        await connection.execute(waiting)
    await Folding(database).fold()
