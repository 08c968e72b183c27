"""A short day really lived: door, worker and scripted provider, under more than they can do."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, Final

import msgspec
from sqlalchemy import func, select

from deploy.cli.demo.visitor import Visitor, open_session
from deploy.replay.day.reading import read_day
from deploy.replay.day.recorded_day import RecordedDay
from deploy.replay.day.refusals import with_refusals
from shared.clock import SystemClock
from shared.messages.state import TERMINAL
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database, open_database
from shared.persistence.tables import message
from shared.persistence.tenants import TenantRepository
from shared.rollups.reading import Rollups, TimeSpan
from shared.settings import Settings, load_settings
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.provider import ScriptedProvider

CALLS: Final = {"short": 0.1, "usual": 0.3, "long": 0.9}
"""Seconds of a call that says so."""
_TIERS: Final = ("priority", "default", "default", "flex")
_PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Posting:
    """One message: when, whose, and what."""

    at: float
    tenant: int
    user: str
    tier: str
    text: str


@dataclass(frozen=True, slots=True)
class LivedDay:
    day: RecordedDay
    settings: Settings
    refused: Counter[str]
    """What the door said to whom it refused."""


def postings(
    *,
    seconds: float,
    per_second: float,
    pace: float = 1.0,
    seed: int = 0,
    tenants: int = 3,
    repeated: float = 0.3,
) -> list[Posting]:
    """Waves, of which every other is above what the slots can do.

    Everything takes `pace` times as long: the less it hangs on what else the machine does.
    """
    random, at, texts = Random(seed), 0.0, [""]
    found = []
    while at < seconds / pace:
        is_high = int(at / 4.0) % 2 == 0
        at += random.expovariate(pace * per_second * (1.6 if is_high else 0.4))
        length = random.choices([*CALLS], weights=[3, 4, 2])[0]
        text = f"{length} question {len(texts)}"
        if random.random() < repeated and len(texts) > 1:
            text = random.choice(texts[1:])
        texts.append(text)
        tenant = min(int(random.expovariate(1.2)), tenants - 1)
        user = f"user {random.randrange(4)}"
        found.append(Posting(at * pace, tenant, user, random.choice(_TIERS), text))
    return found


class Servers(msgspec.Struct, frozen=True):
    """Where a day is lived: addresses that nobody else uses."""

    redis_url: str
    ledger_url: str
    port: int
    folder: Path


def settings_of(
    servers: Servers, provider: str, chosen: Mapping[str, str], concurrency: int
) -> dict[str, str]:
    """The environment of all processes of the day."""
    link = {
        "name": "scripted",
        "kind": "openai_compatible",
        "base_url": f"{provider}/v1",
        "model": "scripted",
    }
    price = {"model": "scripted", "input_per_million": "1", "output_per_million": "5"}
    return {
        "FOREBAY_BROKER__URL": servers.redis_url,
        "FOREBAY_REDIS__URL": servers.redis_url,
        "FOREBAY_LEDGER__URL": servers.ledger_url,
        "FOREBAY_INGRESS__PORT": str(servers.port),
        "FOREBAY_WORKER__CONCURRENCY": str(concurrency),
        "FOREBAY_PROVIDERS": msgspec.json.encode([link]).decode(),
        "FOREBAY_COSTS__PRICES": msgspec.json.encode([price]).decode(),
        **chosen,
    }


async def live(
    servers: Servers,
    came: Sequence[Posting],
    *,
    concurrency: int,
    chosen: Mapping[str, str],
    pace: float = 1.0,
    prefix: str = "tenant",
) -> LivedDay:
    """Post all of it at its time, wait until it has ended, and read the day. Calls take `pace`
    times as long.

    Tenants have names that begin with `prefix`: those of an earlier day are others.
    """
    calls = {name: seconds * pace for name, seconds in CALLS.items()}
    with ScriptedProvider(servers.folder, seconds=0.0, others=calls) as provider:
        environment = settings_of(servers, provider.url, chosen, concurrency)
        settings = load_settings(environment)
        async with _open(servers, environment, concurrency, came, prefix) as (visitors, database):
            since = SystemClock().now()
            refused = await _post_all(visitors, came)
            await _until_ended(database)
            await _until_counted(database, since, refused.total())
            until = SystemClock().now() + timedelta(seconds=0.1)
            day = await read_day(database, settings, since=since, until=until)
            day = await with_refusals(day, database, since=_minute(since), until=until)
    return LivedDay(day, settings, refused)


@asynccontextmanager
async def _open(
    servers: Servers,
    environment: Mapping[str, str],
    concurrency: int,
    came: Sequence[Posting],
    prefix: str,
) -> AsyncIterator[tuple[list[Visitor], Database]]:
    async with AsyncExitStack() as exits:
        programs = [
            Program(["-m", "deploy.cli", *words], log=servers.folder / log, environment=environment)
            for words, log in (
                (["ingress"], "door.log"),
                (["worker", "--concurrency", str(concurrency)], "worker.log"),
            )
        ]
        for program in programs:
            exits.enter_context(program)
        door, worker = programs
        worker.wait_until(lambda: " ready." in worker.log_text(), "worker")
        door.wait_until(lambda: _answers(servers), "door")
        database = open_database(load_settings(environment).ledger)
        exits.push_async_callback(database.close)
        session = await exits.enter_async_context(open_session())
        tenants = TenantRepository(database, SystemClock())
        visitors = []
        for number in range(1 + max(each.tenant for each in came)):
            tenant = await tenants.create(f"{prefix} {number}")
            key = (await tenants.create_key(tenant, scope=KeyScope.PRODUCER)).key
            url = f"http://127.0.0.1:{servers.port}"
            visitors.append(Visitor(session, url, key, shares_answers=True))
        for visitor in visitors:
            heard = await visitor.post("short: are you there?")
            assert heard.state == "completed", heard.body
        yield visitors, database


async def _post_all(visitors: Sequence[Visitor], came: Sequence[Posting]) -> Counter[str]:
    refused: Counter[str] = Counter()
    began = monotonic()

    async def post(each: Posting) -> None:
        fields: dict[str, Any] = {"service_tier": each.tier, "safety_identifier": each.user}
        heard = await visitors[each.tenant].post(each.text, background=True, **fields)
        if heard.status >= 400:
            refused[str(heard.body["error"]["code"])] += 1

    async with asyncio.TaskGroup() as group:
        for each in came:
            await asyncio.sleep(max(0.0, began + each.at - monotonic()))
            group.create_task(post(each))
    return refused


async def _until_ended(database: Database) -> None:
    left = select(func.count()).where(message.c.state.not_in(TERMINAL))
    give_up_at = monotonic() + _PATIENCE_SECONDS
    while True:
        async with database.relaxed.connect() as connection:
            number = await connection.scalar(left)
        if not number:
            return
        assert monotonic() < give_up_at, f"{number} messages have not ended"
        await asyncio.sleep(0.2)


async def _until_counted(database: Database, since: datetime, refused: int) -> None:
    """Doors append what they refused every few seconds."""
    give_up_at = monotonic() + _PATIENCE_SECONDS
    while True:
        span = TimeSpan(_minute(since), SystemClock().now() + timedelta(minutes=1))
        rows = await Rollups(database).sums(span)
        counted = sum(sum(row.refused.values()) for row in rows)
        if counted >= refused:
            return
        assert monotonic() < give_up_at, f"{counted} of {refused} refusals are counted"
        await asyncio.sleep(0.2)


def _answers(servers: Servers) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", servers.port)) == 0


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
