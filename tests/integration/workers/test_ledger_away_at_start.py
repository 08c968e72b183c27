"""A worker that starts while the ledger is away waits for it, says so, and then works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from shared.messages.state import ResponseState
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import open_road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.cut_line import CutLine
from tests.servers.ports import free_port
from tests.servers.postgres import PostgresServer


async def test_a_worker_waits_for_the_ledger_and_then_works(
    postgres: PostgresServer,
    migrated_postgres_url: str,
    redis_databases: Iterator[str],
    provider: ProviderThread,
    start_worker: Callable[..., AgentWorker],
) -> None:
    port = free_port()
    stack = Stack(
        broker_url=next(redis_databases),
        redis_url=next(redis_databases),
        ledger_url=migrated_postgres_url.replace(f":{postgres.port}/", f":{port}/"),
        providers=[openai_link(provider.url)],
    )
    worker = start_worker(stack, ready=False)
    await asyncio.to_thread(worker.wait_until_it_says, "ledger_unavailable")
    with CutLine(postgres.port, at=port):
        await asyncio.to_thread(worker.wait_until_ready)
        async with open_road(stack) as road:
            record = await road.ended(await road.accept("Are you there?"))
    assert record.state is ResponseState.COMPLETED
