"""A door, one worker and a scripted provider, and a batch that is followed over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple

from deploy.cli.demo.visitor import Heard, Visitor, open_session
from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database
from shared.persistence.tenants import TenantRepository
from tests.benchmarks.ground.forebay import door, opened_ledger, worker
from tests.benchmarks.ground.program import Program
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Ground

_LOOK_SECONDS: Final = 0.1
_OPEN: Final = frozenset({"validating", "in_progress", "finalizing", "cancelling"})


class Served(NamedTuple):
    """All that a batch needs, on one ground."""

    visitor: Visitor
    worker: Program
    database: Database


@asynccontextmanager
async def served(
    ground: Ground, *, slots: int, seconds: float, others: Mapping[str, float] | None = None
) -> AsyncIterator[Served]:
    """One worker with so many slots, and calls that take so long."""
    async with AsyncExitStack() as exits:
        provider = exits.enter_context(
            ScriptedProvider(ground.folder, seconds=seconds, others=others)
        )
        opened = exits.enter_context(door(ground))
        working = exits.enter_context(worker(ground, provider_url=provider.url, concurrency=slots))
        opened.wait_until(ground.is_served, "open door")
        working.wait_until(lambda: " ready." in working.log_text(), "worker")
        database, tenant = await exits.enter_async_context(opened_ledger(ground))
        tenants = TenantRepository(database, SystemClock())
        created = await tenants.create_key(tenant, scope=KeyScope.PRODUCER)
        session = await exits.enter_async_context(open_session())
        address = f"http://127.0.0.1:{ground.port}"
        yield Served(Visitor(session, address, created.key), working, database)


async def begun(visitor: Visitor, lines: int, text: str) -> str:
    """The id of a batch of so many lines that say that text, each with its number."""
    asked = [
        {
            "custom_id": f"c{number}",
            "method": "POST",
            "url": "/v1/responses",
            "body": {"model": "scripted", "input": f"{text} {number}"},
        }
        for number in range(lines)
    ]
    file = _taken(await visitor.upload(asked, name="lines.jsonl"))
    return str(_taken(await visitor.begin_batch(str(file["id"])))["id"])


async def looked_at(visitor: Visitor, batch_id: str) -> AsyncIterator[dict[str, Any]]:
    """How it stands, again and again until it has ended."""
    while True:
        batch = _taken(await visitor.batch(batch_id))
        yield batch
        if batch["status"] not in _OPEN:
            return
        await asyncio.sleep(_LOOK_SECONDS)


async def cancelled(visitor: Visitor, batch_id: str) -> None:
    """It is cancelled, and none of its lines runs any more."""
    _taken(await visitor.cancel_batch(batch_id))
    async for _ in looked_at(visitor, batch_id):
        pass


def _taken(heard: Heard) -> dict[str, Any]:
    if heard.status >= 400:
        raise RuntimeError(f"The door says {heard.status}: {heard.body}")
    return heard.body
