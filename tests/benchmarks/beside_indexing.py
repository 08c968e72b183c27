"""Answers while a job runs beside them, and while none does: 20 messages a second, open loop.

A door, two workers, an indexer with one encoder process, Redis, the embedded engine and a scripted
provider, all on this machine's cores, first on SQLite and then on Postgres. Rounds alternate; a job
goes on in its next round where it was cancelled at the end of the one before.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

from deploy.cli.demo.visitor import Visitor, open_session
from shared.clock import SystemClock
from shared.index.collections.catalogue import CollectionCatalogue
from shared.index.collections.collection import Collection
from shared.index.jobs.index_jobs import IndexJobs
from shared.index.jobs.job import IndexJob
from shared.index.states import JobState
from shared.messages.tenant import KeyScope
from shared.persistence.tenants import TenantRepository
from tests.benchmarks.ground.forebay import door, indexer, opened_ledger, worker
from tests.benchmarks.ground.open_loop import at_share, open_loop
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row

PER_SECOND: Final = 20
ROUNDS: Final = 2
OF_QUIET: Final = 1.5
LEDGERS: Final = (Ledger.SQLITE, Ledger.POSTGRES)
_ROUND: Final = 3.1
"""Times the seconds of other benchmarks: of 186 answers a p99 is the second slowest."""
_BEGUN: Final = 5
"""Documents of a job that are indexed before its round begins."""
_WARM_UP_SECONDS: Final = 2.0
_LOOK_SECONDS: Final = 0.1
_ROOT: Final = Path(__file__).resolve().parents[2]
_SHELVES: Final = ("docs", "shared", "ingress", "workers", "indexer", "deploy")


class _Library(NamedTuple):
    """What jobs index: a copy of this repository's documents and code."""

    jobs: IndexJobs
    collection: Collection
    folder: Path


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """p50 and p99 of both; the stock way is the same processes without a job."""
    for ledger in LEDGERS:
        ground = stage.ground(Broker.REDIS, ledger)
        yield from asyncio.run(_measure(ground, ledger, _ROUND * seconds, say))


async def _measure(ground: Ground, ledger: Ledger, seconds: float, say: Progress) -> list[Row]:
    quiet, busy = Rounds(), Rounds()
    async with _open(ground) as (visitor, library):
        await _answers(visitor, _WARM_UP_SECONDS)
        for turn in range(ROUNDS):
            say(f"answers on {ledger} without a job, round {turn + 1} of {ROUNDS}")
            _record(quiet, await _answers(visitor, seconds))
            say(f"answers on {ledger} beside a job, round {turn + 1} of {ROUNDS}")
            async with _a_job(library):
                _record(busy, await _answers(visitor, seconds))
    return [
        Row(
            what=f"an answer beside a job of indexing, {name}",
            on=f"Redis + {ledger}, {PER_SECOND} messages/s",
            unit="ms",
            ours=busy[name],
            stock=quiet[name],
            target=OF_QUIET if name == "p99" else None,
        )
        for name in ("p50", "p99")
    ]


@asynccontextmanager
async def _open(ground: Ground) -> AsyncIterator[tuple[Visitor, _Library]]:
    async with AsyncExitStack() as exits:
        provider = exits.enter_context(ScriptedProvider(ground.folder, seconds=0))
        opened = exits.enter_context(door(ground))
        opened.wait_until(ground.is_served, "open door")
        hands = [worker(ground, provider_url=provider.url, log=f"{one}.log") for one in range(2)]
        for each in (*hands, indexer(ground, cores=1)):
            exits.enter_context(each)
            each.wait_until(lambda of=each: _is_ready(of), "worker")  # type: ignore[misc]
        database, tenant = await exits.enter_async_context(opened_ledger(ground))
        created = await TenantRepository(database, SystemClock()).create_key(
            tenant, scope=KeyScope.PRODUCER
        )
        session = await exits.enter_async_context(open_session())
        visitor = Visitor(session, f"http://127.0.0.1:{ground.port}", created.key)
        collection = await CollectionCatalogue(database, SystemClock()).create(
            tenant.id, name="library"
        )
        folder = ground.folder.resolve() / "library"
        await asyncio.to_thread(_copy, folder)
        yield visitor, _Library(IndexJobs(database, SystemClock()), collection, folder)


def _is_ready(program: Program) -> bool:
    return " ready." in program.log_text()


def _copy(folder: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    for shelf in _SHELVES:
        shutil.copytree(_ROOT / shelf, folder / shelf, ignore=ignored)


@asynccontextmanager
async def _a_job(library: _Library) -> AsyncIterator[None]:
    jobs, (tenant, collection) = library.jobs, (library.collection.tenant_id, library.collection.id)
    job = await jobs.create(tenant, collection, f"folder:{library.folder}")
    before = await _indexed(jobs, job, at_least=1)
    before = await _indexed(jobs, job, at_least=before + _BEGUN)
    yield
    after = await _indexed(jobs, job, at_least=0)
    now = await jobs.find(tenant, job.id)
    if now.finished_at is not None or after == before:
        raise RuntimeError(f"The job did not run all the while: {before}, {after}, {now}.")
    await jobs.cancel(tenant, job.id)


async def _indexed(jobs: IndexJobs, job: IndexJob, *, at_least: int) -> int:
    """Its documents that are indexed, once the scan is over and they are so many."""
    while True:
        now = await jobs.find(job.tenant_id, job.id)
        done = (await jobs.progress(job.tenant_id, [job.id]))[job.id].completed
        if now.finished_at is not None or (now.state is JobState.INDEXING and done >= at_least):
            return done
        await asyncio.sleep(_LOOK_SECONDS)


async def _answers(visitor: Visitor, seconds: float) -> list[float]:
    return await open_loop(visitor, int(seconds * PER_SECOND), per_second=PER_SECOND)


def _record(rounds: Rounds, latencies: list[float]) -> None:
    rounds.add(p50=at_share(0.5, latencies) * 1e3, p99=at_share(0.99, latencies) * 1e3)
